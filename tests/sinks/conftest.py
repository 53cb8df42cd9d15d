"""Pictures to write, and ways to write and read them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spikecore import Target
from spikecore.data.kinds import Data
from spikecore.sinks.open import open_sink


@pytest.fixture
def pictures():
    """Makes five pictures, each a little brighter; with channels in colour."""

    def make(height=18, width=24, channels=None):
        rows, columns = np.mgrid[0:height, 0:width]
        ramp = ((rows + columns) / (height + width)).astype(np.float32)
        for number in range(5):
            picture = np.clip(ramp * 0.8 + 0.02 * number, 0, 1)
            yield picture if channels is None else np.stack([picture, 1 - picture, picture * 0.5], -1)

    return make


@pytest.fixture
def write():
    """Writes results of instants 0, 10, 20, … and gives the sink, which is still open."""

    def written(path, results, count=5, kind=Data.IMAGE, **options):
        sink = open_sink(None, Target(path, count, **options), kind)
        for number, result in enumerate(results):
            sink.write(10 * number, result)
        return sink

    return written


@pytest.fixture
def read_video():
    """Reads the frames of a video, (count, H, W, 3) BGR."""

    def read(path):
        capture = cv2.VideoCapture(str(path))
        frames = []
        while True:
            more, frame = capture.read()
            if not more:
                return np.array(frames)
            frames.append(frame)

    return read


@pytest.fixture
def read_png():
    """Reads a PNG file as it was written: (H, W) or (H, W, 3) RGB in integers."""

    def read(path):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        return picture if picture.ndim == 2 else picture[..., ::-1]

    return read
