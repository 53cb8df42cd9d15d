"""The state of live streams, read at any moment, against loops over all frames so far."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikecore
from spikecore import kernels

unhurried = settings(deadline=None)  # the first call of a kernel compiles it


def spikes(frames: int, width: int, rate: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.random((frames, 8 * width)) < 2 * rate * random.random(8 * width)).astype(np.uint8)


def naive_state(bits, longest):
    """Age and last interval of every pixel after all these frames."""
    age, last = np.full(bits.shape[1], longest), np.zeros(bits.shape[1], int)
    for pixel in range(bits.shape[1]):
        times = np.flatnonzero(bits[:, pixel])
        if len(times):
            age[pixel] = min(longest, len(bits) - 1 - times[-1])
        if len(times) > 1 and times[-1] - times[-2] <= longest:
            last[pixel] = times[-1] - times[-2]
    return age, last


pushes = st.lists(st.integers(0, 70), min_size=1, max_size=6)


@unhurried
@given(pushes, st.integers(1, 11), st.sampled_from([0.0, 0.02, 0.2, 0.5]), st.sampled_from([1, 7, 255, 256, 65535]))
def test_interval_state_may_be_read_at_any_moment(sizes, width, rate, longest):
    bits = spikes(sum(sizes), width, rate, len(sizes))
    state, done = kernels.IntervalState(width, longest), 0
    for size in sizes:
        state.push(kernels.pack(bits[done : done + size]))
        done += size
        age, last = naive_state(bits[:done], longest)
        assert state.frames == done
        np.testing.assert_array_equal(state.age(), age)
        np.testing.assert_array_equal(state.intervals(), last)
        assert state.age().dtype == state.intervals().dtype == (np.uint8 if longest <= 255 else np.uint16)


@pytest.mark.parametrize("longest", [254, 255, 256])
def test_intervals_about_as_long_as_the_longest(longest):
    bits = np.zeros((600, 8), np.uint8)
    for pixel, length in enumerate([1, 2, 253, 254, 255, 256, 257, 300]):
        bits[::length, pixel] = 1
    state = kernels.IntervalState(1, longest)
    for done, frame in enumerate(kernels.pack(bits), 1):
        state.push(frame)
        if done % 50 == 0 or done > 500:
            age, last = naive_state(bits[:done], longest)
            np.testing.assert_array_equal(state.age(), age)
            np.testing.assert_array_equal(state.intervals(), last)


def test_live_intervals_are_those_that_end_at_the_last_spike():
    bits = spikes(400, 9, 0.2, 3)
    bits[-1] = 1
    packed = kernels.pack(bits)
    state = kernels.IntervalState(9)
    state.push(packed)
    np.testing.assert_array_equal(state.intervals(), kernels.sliding_intervals(packed, closed="right")[-1])


@unhurried
@given(pushes, st.integers(1, 11), st.sampled_from([0.0, 0.2, 0.5]), st.sampled_from([1, 2, 33, 41, 256, 1000]))
def test_count_state_may_be_read_at_any_moment(sizes, width, rate, window):
    bits = spikes(sum(sizes), width, rate, len(sizes))
    state, done = kernels.CountState(width, window), 0
    for size in sizes:
        state.push(kernels.pack(bits[done : done + size]))
        done += size
        result = state.counts()
        assert state.frames == done
        assert result.dtype == (np.uint8 if window <= 255 else np.uint16)
        np.testing.assert_array_equal(result, bits[max(0, done - window) : done].sum(0))


@pytest.mark.parametrize("make", [kernels.IntervalState, lambda width: kernels.CountState(width, 41)])
def test_frames_one_by_one_are_frames_in_one_go(make):
    packed = kernels.pack(spikes(333, 13, 0.1, 4))
    single, many = make(13), make(13)
    for frame in packed:
        single.push(frame)
    many.push(packed[::-1][::-1])
    for read in {"age", "intervals", "counts"} & set(dir(single)):
        np.testing.assert_array_equal(getattr(single, read)(), getattr(many, read)())


def test_what_was_read_stays_as_it_was():
    intervals, counts = kernels.IntervalState(2), kernels.CountState(2, 5)
    frames = np.full((4, 2), 255, np.uint8)
    for state, read in ((intervals, intervals.age), (intervals, intervals.intervals), (counts, counts.counts)):
        state.push(frames)
        before = read()
        copy = before.copy()
        state.push(frames[:1] & 0)
        state.push(frames)
        read()
        np.testing.assert_array_equal(before, copy)


@pytest.mark.parametrize("state", [kernels.IntervalState(3), kernels.CountState(3, 5)])
@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        ([1, 2, 3], TypeError, "uint8 array, got list"),
        (np.zeros(3), TypeError, "got float64"),
        (np.zeros(4, np.uint8), ValueError, r"shape \(3,\) or \(frames, 3\), got \(4,\)"),
        (np.zeros((1, 2, 3), np.uint8), ValueError, r"got \(1, 2, 3\)"),
    ],
)
def test_bad_frames_are_refused_and_change_nothing(state, frames, error, message):
    with pytest.raises(error, match=message):
        state.push(frames)
    assert state.frames == 0


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="bytes_per_frame must be 1 or more"):
        kernels.IntervalState(0)
    with pytest.raises(ValueError, match="longest must be 1 or more and at most 65535, got 70000"):
        kernels.IntervalState(1, 70000)
    with pytest.raises(ValueError, match="window must be 1 or more"):
        kernels.CountState(1, 0)


def test_one_thread_may_push_while_others_read():
    """Reading works frames in that wait, so without a lock they are worked in twice or never."""
    packed = kernels.pack(spikes(30_000, 64, 0.2, 5))
    layout = spikecore.Layout(8, 64)
    live, alone = (spikecore.Live(layout, window=41) for _ in range(2))
    alone.push(packed)
    pushed = threading.Event()

    def read():
        while not pushed.is_set():
            live.intervals(), live.age()
            if live.frames:
                assert 0 <= live.rate().min() <= live.rate().max() <= 1

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for frame in packed:
            live.push(frame)
        pushed.set()
        for reader in readers:
            reader.result()
    assert live.frames == alone.frames
    for name in ("rate", "intervals", "age"):
        np.testing.assert_array_equal(getattr(live, name)(), getattr(alone, name)())
