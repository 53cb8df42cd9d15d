"""From a result to a picture."""

from __future__ import annotations

import numpy as np

from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.data.spikes import SpikeStream
from spikecore.experiment.run_config import RunConfig
from spikecore.runner.picture import to_picture


def test_displays():
    sample = Sample(key="s", spikes=SpikeStream.from_frames(np.zeros((3, 2, 8), bool)))
    value = np.array([[[0.1, 0.5, 0.9]]], np.float32)
    shown = {
        name: to_picture(value, Data.IMAGE, sample, RunConfig(display=name, gain=2.0))[0]
        for name in ("clip", "raw", "minmax")
    }
    assert np.allclose(shown["clip"], [0.2, 1, 1])
    assert np.allclose(shown["raw"], [0.2, 1, 1.8])
    assert np.allclose(shown["minmax"], [0, 0.5, 1])
    assert np.allclose(to_picture(value, Data.IMAGE, sample, RunConfig(gamma=2.0))[0], np.sqrt([0.1, 0.5, 0.9]))
