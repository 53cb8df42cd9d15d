"""A running camera shows what its recording holds."""

from __future__ import annotations

import numpy as np
import pytest

import spikecore as sc


@pytest.fixture
def stream():
    video = np.random.default_rng(0).random((90, 6, 10)) < 0.3
    return sc.SpikeStream.from_frames(video, rate=1000.0, gain=2.0, name="clip")


def test_a_live_camera_shows_what_the_recording_holds(stream):
    live = sc.Live(stream.layout, window=11)
    with pytest.raises(sc.UsageError, match="no frames yet"):
        live.rate()
    with pytest.raises(sc.UsageError, match=r"frames must be uint8"):
        live.push(np.zeros((2, 3), np.uint8))
    chunks = [stream.packed[start : start + 7] for start in range(0, 90, 7)]
    seen = 0
    for now, chunk in zip(live.follow(chunks), chunks, strict=True):
        seen += len(chunk)
        assert now.frames == seen
        part = stream[max(seen - 11, 0) : seen]
        assert np.allclose(now.rate(), part.counts() / len(part))
        before, _ = stream[:seen].neighbours(seen - 1, closed="left")
        known = before >= 0
        assert np.array_equal(now.age()[known], before[known])
    fired = stream.unpack() != 0
    intervals = live.intervals()
    for row in range(6):
        for column in range(10):
            times = np.flatnonzero(fired[:, row, column])
            assert intervals[row, column] == (times[-1] - times[-2] if len(times) > 1 else 0)
