from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore.data.events import EventStream
from spikecore.errors import UsageError

H, W = 3, 5


@st.composite
def streams(draw):
    n = draw(st.integers(0, 40))
    t = np.sort(np.array(draw(st.lists(st.integers(0, 100), min_size=n, max_size=n)), np.int64))
    x = np.array(draw(st.lists(st.integers(0, W - 1), min_size=n, max_size=n)), np.int16)
    y = np.array(draw(st.lists(st.integers(0, H - 1), min_size=n, max_size=n)), np.int16)
    p = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)
    return EventStream(x, y, t, p, H, W)


@given(streams(), st.lists(st.integers(-5, 110), min_size=2, max_size=6, unique=True).map(sorted))
def test_frames_count_like_a_loop(events, edges):
    expected = np.zeros((len(edges) - 1, 2, H, W), int)
    for x, y, t, p in zip(events.x, events.y, events.t, events.p, strict=True):
        for step in range(len(edges) - 1):
            if edges[step] <= t < edges[step + 1]:
                expected[step, 0 if p else 1, y, x] += 1
    assert np.array_equal(events.frames(edges), expected)


@given(streams(), st.integers(1, 6))
def test_voxels_spread_like_a_loop_and_keep_the_sum(events, bins):
    expected = np.zeros((bins, H, W))
    if len(events):
        first, last = events.t[0], events.t[-1]
        for x, y, t, p in zip(events.x, events.y, events.t, events.p, strict=True):
            position = (t - first) * (bins - 1) / max(last - first, 1)
            for step in range(bins):
                expected[step, y, x] += (1 if p else -1) * max(0.0, 1 - abs(step - position))
    grid = events.voxels(bins)
    assert np.allclose(grid, expected, atol=1e-5)
    assert np.isclose(grid.sum(), np.where(events.p, 1, -1).sum(), atol=1e-4)


@given(streams(), st.integers(-5, 110), st.integers(-5, 110))
def test_between_is_a_half_open_range(events, start, stop):
    inside = (events.t >= start) & (events.t < stop)
    assert np.array_equal(events.between(start, max(stop, start)).x, events.x[inside])


def test_lazy_arrays_are_read_only_where_needed(tmp_path):
    with h5py.File(tmp_path / "e.h5", "w") as file:
        for name, value in {"x": [0, 1, 2], "y": [0, 1, 2], "t": [10, 20, 30], "p": [True, False, True]}.items():
            file[name] = value
        lazy = EventStream(file["x"], file["y"], file["t"], file["p"], H, W)
        assert len(lazy) == 3
        assert lazy.between(15, 31).x.tolist() == [1, 2]
        assert lazy.frames([0, 25, 40]).sum(axis=(1, 2, 3)).tolist() == [2, 1]
        assert lazy.voxels(2).shape == (2, H, W)


def test_bad_streams_are_refused():
    one = np.zeros(1, int)
    with pytest.raises(UsageError, match="differ in length"):
        EventStream(one, one, one, np.zeros(2, bool), H, W)
    with pytest.raises(UsageError, match="outside the 3x5 sensor"):
        EventStream(one + W, one, one, one > 0, H, W).frames([0, 1])
    with pytest.raises(UsageError, match="increasing"):
        EventStream(one, one, one, one > 0, H, W).frames([1, 1])
    with pytest.raises(UsageError, match="at least one bin"):
        EventStream(one, one, one, one > 0, H, W).voxels(0)
