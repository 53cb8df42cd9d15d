"""`Sample.clip`: which spikes and events belong to camera frames."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore.data.events import EventStream
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.data.spikes import SpikeStream
from spikecore.errors import UsageError

TIMES = np.array([5.5, 25.5, 45.5, 65.5])


def film(times=TIMES, length=80, **fields):
    random = np.random.default_rng(0)
    return Sample(
        key="film",
        spikes=SpikeStream.from_frames(random.random((length, 3, 8)) < 0.4),
        frames=random.random((len(times), 3, 3, 8), np.float32),
        frame_times=np.asarray(times, np.float64),
        target={"video": random.random((len(times), 3, 3, 8), np.float32)},
        **fields,
    )


def events(times, span):
    """Two cameras, one event a microsecond in each."""
    t = np.arange(*span)
    one = EventStream(t % 5, t % 3, t, t % 2 == 0, 3, 5)
    return Sample(
        key="stereo",
        events=(one, attrs.evolve(one, x=4 - one.x)),
        frames=np.zeros((len(times), 1, 3, 5), np.float32),
        frame_times=np.asarray(times, np.float64),
    )


def test_camera_frames_own_the_spikes_nearest_to_them():
    sample = film()
    clip = sample.clip(1, 3)
    assert np.array_equal(clip.spikes.packed, sample.spikes[16:56].packed)
    assert clip.frame_times.tolist() == [9.5, 29.5]
    assert np.array_equal(clip.frames, sample.frames[1:3])
    assert np.array_equal(clip.target[Data.VIDEO], sample.target[Data.VIDEO][1:3])


def test_the_first_and_the_last_frame_own_the_ends():
    sample = film()
    assert len(sample.clip(0, 1).spikes) == 16
    assert len(sample.clip(3, 4).spikes) == 80 - 56
    assert sample.clip(0, 1).frame_times.tolist() == [5.5]
    whole = sample.clip(0, 4)
    assert np.array_equal(whole.spikes.packed, sample.spikes.packed)
    assert whole.frame_times.tolist() == sample.frame_times.tolist()


@st.composite
def cuts(draw):
    """Increasing frame times, and where to cut between the frames."""
    steps = draw(st.lists(st.floats(1.0, 30.0), min_size=2, max_size=8))
    times = np.cumsum(steps)
    inner = draw(st.sets(st.integers(1, len(times) - 1)))
    return times, [0, *sorted(inner), len(times)]


@given(cuts())
def test_clips_in_sequence_share_nothing_and_leave_nothing_out(cut):
    times, ends = cut
    sample = film(times, int(times[-1]) + 20)
    clips = [sample.clip(start, stop) for start, stop in pairwise(ends)]
    assert np.array_equal(np.concatenate([clip.spikes.packed for clip in clips]), sample.spikes.packed)
    begun = np.cumsum([0, *(len(clip.spikes) for clip in clips[:-1])])
    back = [clip.frame_times + first for clip, first in zip(clips, begun, strict=True)]
    assert np.allclose(np.concatenate(back), times)


@given(cuts(), st.integers(-50, 50))
def test_clips_of_events_keep_their_times(cut, first):
    times, ends = cut
    sample = events(times + first, (first - 5, first + int(times[-1]) + 20))
    clips = [sample.clip(start, stop) for start, stop in pairwise(ends)]
    for camera in range(2):
        got = [clip.events[camera] for clip in clips]
        for field in "xytp":
            whole = getattr(sample.events[camera], field)
            assert np.array_equal(np.concatenate([getattr(one, field) for one in got]), whole)
    assert np.array_equal(np.concatenate([clip.frame_times for clip in clips]), sample.frame_times)


def test_the_instant_goes_with_the_frames_that_own_it():
    assert film(at=20).clip(1, 3).at == 4
    assert film(at=15).clip(1, 3).at is None
    assert film(at=56).clip(1, 3).at is None
    assert events([10, 20, 30], (0, 40)).clip(1, 2).at is None
    assert attrs.evolve(events([10, 20, 30], (0, 40)), at=18).clip(1, 2).at == 18


def test_frames_alone_need_no_times():
    alone = Sample(key="camera", frames=np.arange(5.0).reshape(5, 1, 1, 1))
    assert alone.clip(1, 3).frames.ravel().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (attrs.evolve(film(), frame_times=None), "times are not known cannot be clipped"),
        (attrs.evolve(film(), events=events([1], (0, 2)).events), "both spikes and events"),
        (film([-60, -40, 5, 15]), r"no spikes belong to camera frames 0\.\.0, see frame_times"),
        (Sample(key="film"), r"camera frames 0\.\.0 are not inside the 0 it has"),
    ],
)
def test_what_cannot_be_clipped_is_refused(sample, message):
    with pytest.raises(UsageError, match=message):
        sample.clip(0, 1)


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (-1, 2), (2, 2), (3, 1)])
def test_frames_that_there_are_not_are_refused(start, stop):
    with pytest.raises(UsageError, match=r"film: camera frames .* are not inside the 4 it has"):
        film().clip(start, stop)
