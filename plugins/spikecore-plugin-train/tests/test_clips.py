"""Clips in time: camera frames, spikes and ground truth of the same moment."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from spikecore_plugin_train.data import clipped

from spikecore import EventStream, Sample, SpikeStream, UsageError, Window
from spikecore.testing.data import random_spikes


def test_clips_keep_frames_truth_and_spikes_together():
    total = 8
    sample = Sample(
        key="clip",
        spikes=SpikeStream.from_frames(np.eye(80, dtype=bool)[:, None]),
        frames=np.arange(total, dtype=np.float32).reshape(total, 1, 1, 1),
        frame_times=np.arange(total) * 10.0 + 5,
        target={"video": np.arange(total, dtype=np.float32).reshape(total, 1, 1, 1)},
    )
    starts = set()
    for seed in range(40):
        clip = clipped(sample, 3, np.random.default_rng(seed), Window())
        first = int(clip.frames[0, 0, 0, 0])
        starts.add(first)
        assert clip.frames.ravel().tolist() == clip.target["video"].ravel().tolist() == [first, first + 1, first + 2]
        assert clip.frame_times.tolist() == [5, 15, 25]
        assert clip.spikes.unpack().argmax(2).ravel().tolist() == list(range(10 * first, 10 * first + 30))
    assert starts == set(range(6))
    with pytest.raises(UsageError, match="too few for clip_length = 9"):
        clipped(sample, 9, np.random.default_rng(0), Window())


@pytest.mark.parametrize("window", [Window(), Window.centred(5), Window(6, 1), Window.centred(5, clip=True)])
@pytest.mark.parametrize("at", [4, 10, 43])
def test_clips_of_spikes_hold_the_window_of_the_truth(window, at):
    stream = random_spikes(0.3, 50, (2, 2))
    sample = Sample(key="clip", spikes=stream, at=at, target={"image": np.zeros((1, 2, 2))})
    wanted = sample.around(window).spikes.unpack() if window.length and not window.clip else None
    starts = set()
    for seed in range(60):
        clip = clipped(sample, 8, np.random.default_rng(seed), window)
        start = at - clip.at
        starts.add(start)
        assert len(clip.spikes) == 8
        assert np.array_equal(clip.spikes.packed, stream[start : start + 8].packed)
        assert wanted is None or np.array_equal(clip.around(window).spikes.unpack(), wanted)
    assert len(starts) > 1
    free = clipped(attrs.evolve(sample, target={}), 8, np.random.default_rng(0), window)
    free.around(window)


def test_clips_without_room_for_the_window_are_refused():
    sample = Sample(key="clip", spikes=random_spikes(0.3, 50, (2, 2)), at=1, target={"image": np.zeros((1, 2, 2))})
    with pytest.raises(UsageError, match="clip_length = 8 is too short for the window of 9 frames"):
        clipped(sample, 8, np.random.default_rng(0), Window.centred(9))
    with pytest.raises(UsageError, match="around instant 1 reaches outside"):
        clipped(sample, 8, np.random.default_rng(0), Window.centred(5))


FRAMES = np.zeros((4, 1, 2, 2), np.float32)


EVENTS = [EventStream(x=np.zeros(1), y=np.zeros(1), t=np.zeros(1), p=np.ones(1, bool), height=2, width=2)]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"events": EVENTS}, "both spikes and events"),
        ({"frames": FRAMES}, "camera frames whose times are not known"),
        ({"frames": FRAMES, "frame_times": np.arange(4.0), "target": {"image": FRAMES[0]}}, "one instant .image."),
        ({"frames": FRAMES, "frame_times": np.arange(4.0), "target": {"video": FRAMES[:3]}}, "3 instants and 4 camera"),
        ({"target": {"video": FRAMES}}, "a true video whose instants are not known"),
    ],
)
def test_what_cannot_be_clipped_together_is_refused(parts, told):
    sample = Sample(key="clip", spikes=random_spikes(0.3, 50, (2, 2)), **parts)
    with pytest.raises(UsageError, match=told):
        clipped(sample, 2, np.random.default_rng(0), Window())
