from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from spikecore_plugin_simulate.event_file import write_events

from spikecore.testing import SourceContract
from spikecore.testing.data import event_stream


class TestSpikes(SourceContract):
    component = "simulate/spikes"

    @pytest.fixture
    def settings(self, video):
        return {"path": str(video), "interpolate": 64, "photons": 50.0}


class TestSpikesOfImages(SourceContract):
    component = "simulate/spikes"

    @pytest.fixture
    def settings(self, images):
        return {"path": str(images), "height": 24, "width": 40, "reset": "zero"}


class TestSpikling(SourceContract):
    component = "simulate/spikes"

    @pytest.fixture
    def settings(self, video):
        return {"path": str(video), "preset": "spikling"}


class TestScenes(SourceContract):
    component = "simulate/scenes"
    options: ClassVar = {"height": 60, "width": 95, "length": 150, "clips": 3, "flow": True, "depth": True}


class TestNoisyScenes(SourceContract):
    component = "simulate/scenes"
    options: ClassVar = {
        "height": 60,
        "width": 95,
        "length": 21,
        "clips": 3,
        "photons": 30.0,
        "dark": 0.01,
        "threshold_spread": 0.05,
        "hot_share": 0.01,
        "rate": [0.1, 0.6],
    }


class TestEvents(SourceContract):
    component = "simulate/events"
    options: ClassVar = {"height": 60, "width": 95, "length": 20, "clips": 3}
    published = True


class TestEventsOfVideo(SourceContract):
    component = "simulate/events"
    published = True

    @pytest.fixture
    def settings(self, video):
        return {"path": str(video), "shot": 5.0, "leak": 1.0, "refractory": 500.0}


class TestStereoEvents(SourceContract):
    component = "simulate/stereo-events"
    options: ClassVar = {"height": 60, "width": 95, "length": 20, "clips": 3}
    published = True


class TestEventFile(SourceContract):
    component = "simulate/event-file"

    @pytest.fixture
    def settings(self, tmp_path):
        return {"path": str(write_events(event_stream(3.0, (60, 95)), tmp_path / "a.events.h5"))}


class TestClasses(SourceContract):
    component = "simulate/classes"
    options: ClassVar = {"num_train": 2, "num_frames": 40}


class TestOriginalClasses(SourceContract):
    component = "simulate/classes"
    options: ClassVar = {"num_train": 1, "num_frames": 20, "original": True, "dataset": "caltech", "split": "test"}

    def test_items_have_no_picture_to_compare_with(self, built):
        assert not built[0].target
        assert np.array_equal(built[0].label, 0)
