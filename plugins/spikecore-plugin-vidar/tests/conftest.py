from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spikecore import SpikeStream


@pytest.fixture(scope="session")
def clips(shared: Path) -> Path:
    """Two clips simulated from REDS (250x400, 301 frames) with ground truth."""
    return shared / "data" / "base" / "train"


@pytest.fixture
def scene() -> Callable[..., SpikeStream]:
    """Make a recording of smooth blobs by an integrate-and-fire camera."""

    def make(length: int = 48, height: int = 64, width: int = 96, seed: int = 0) -> SpikeStream:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:height, :width]
        centres = rng.uniform((0, 0), (height, width), (12, 2))
        light = sum(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 60) for cy, cx in centres)
        light = 0.05 + 0.5 * light / light.max()
        phase = rng.random((height, width))
        times = np.arange(length + 1)[:, None, None]
        return SpikeStream.from_frames(np.diff(np.floor(light * times + phase), axis=0) > 0, gain=1 / 0.55)

    return make
