"""The components keep the promises of their interfaces."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from spikecore_plugin_spikling.simulator import write_pair

from spikecore.testing import LossContract, ModelContract, ReconstructorContract, SourceContract


class TestWindow(ReconstructorContract):
    component = "spikling/window"


class TestWindowOfTheOriginal(ReconstructorContract):
    component = "spikling/window"
    options: ClassVar = {"compat": True, "clip": True}


class TestInterval(ReconstructorContract):
    component = "spikling/interval"


class TestIntervalOfTheOriginal(ReconstructorContract):
    component = "spikling/interval"
    options: ClassVar = {"compat": True, "filters": ["denoise", "smooth"]}


class TestBrightnessCurve(ReconstructorContract):
    component = "spikling/brightness-curve"


class TestBrightnessCurveOfTheOriginal(ReconstructorContract):
    component = "spikling/brightness-curve"
    options: ClassVar = {"compat": True, "search": 12}
    calibrated = False  # brighter by its offset


class TestIntegralCurve(ReconstructorContract):
    component = "spikling/integral-curve"


class TestIntegralCurveOfTheOriginal(ReconstructorContract):
    component = "spikling/integral-curve"
    options: ClassVar = {"compat": True}
    calibrated = False  # brighter by its offset


class TestSemiUnet(ModelContract):
    component = "spikling/semi-unet"
    tolerance = 0.02  # of bfloat16, where the processor has it


class TestSemiUnetInFloat32(ModelContract):
    component = "spikling/semi-unet"
    options: ClassVar = {"arithmetic": "float32"}


class TestL2(LossContract):
    component = "spikling/l2"
    zero_at_equality = True


class TestTv(LossContract):
    component = "spikling/tv"


class TestVgg(LossContract):
    component = "spikling/vgg"
    published = True
    zero_at_equality = True

    @pytest.fixture
    def settings(self, vgg_file):
        return {"weights": str(vgg_file)}


class TestPairs(SourceContract):
    component = "spikling/pairs"

    @pytest.fixture
    def settings(self, tmp_path):
        random = np.random.default_rng(0)
        for number in range(2):
            picture = random.integers(0, 256, (200, 150), np.uint8)
            write_pair(tmp_path / f"sp{number}.npz", random.random((32, 200, 150)) < 0.3, picture)
        return {"path": str(tmp_path)}
