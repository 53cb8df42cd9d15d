"""The simulated event camera: crossings where they must be, noise as much as said, streams in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_simulate.config import EventCameraOptions
from spikecore_plugin_simulate.event_camera import EventCamera

FPS = 1000.0


def watch(levels, size=(1, 1), seed=0, **options):
    """Events of pictures of uniform intensity exp(level), the first at time 0, 1000 a second."""
    options = EventCameraOptions(**{"contrast_spread": 0.0, "floor": 1e-9, **options})
    pictures = [np.full(size, np.exp(level), np.float32) for level in levels]
    camera = EventCamera(options, pictures[0], np.random.default_rng(seed))
    return camera.record(pictures[1:], FPS, "test")


def naive(levels, on, off):
    """Events of one pixel, found on a grid a thousandth of a step wide."""
    fine = np.interp(np.arange(0, len(levels) - 1 + 1e-9, 1e-3), np.arange(len(levels)), levels)
    reference, events = fine[0], []
    for number, level in enumerate(fine):
        while level - reference >= on:
            reference += on
            events.append((number, True))
        while level - reference <= -off:
            reference -= off
            events.append((number, False))
    return events


@given(
    steps=st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=6),
    on=st.sampled_from([0.13, 0.31]),
    off=st.sampled_from([0.17, 0.4]),
)
def test_crossings_are_where_log_intensity_crosses(steps, on, off):
    levels = np.cumsum([-3.0, *steps])
    found = watch(levels, contrast_on=on, contrast_off=off)
    expected = naive(levels.astype(np.float32).astype(float), on, off)
    assert abs(len(found) - len(expected)) <= 1  # a crossing in the very last instant may be rounded away
    for time, rise, (number, up) in zip(found.t, found.p, expected, strict=False):
        assert rise == up
        assert abs(time - number) <= 3


def test_a_ramp_by_hand():
    found = watch([-2.0, -1.0, -1.0, -1.45], contrast_on=0.25, contrast_off=0.2)
    assert found.p.tolist() == [True, True, True, True, False, False]
    assert found.t.tolist() == pytest.approx([250, 500, 750, 1000, 2444, 2888], abs=2)


def test_refractory_pixels_keep_silent_but_follow():
    free = watch([-2.0, 0.0], contrast_on=0.19)
    tired = watch([-2.0, 0.0], contrast_on=0.19, refractory=250.0)
    assert free.t.tolist() == pytest.approx(np.arange(95, 951, 95), abs=1)
    assert tired.t.tolist() == pytest.approx([95, 380, 665, 950], abs=1)
    assert len(watch([-2.0, 0.0, -0.1], contrast_on=0.19, refractory=250.0)) == 4


def test_leak_makes_rises_at_its_rate():
    found = watch(np.full(2001, -1.0), (10, 10), leak=5.0)
    assert found.p.all()
    assert len(found) == pytest.approx(100 * 2 * 5, abs=100)


def test_shot_noise_is_a_quarter_in_white():
    counts = [len(watch(np.full(201, level), (50, 50), shot=10.0)) for level in (-12.0, 0.0)]
    assert counts[0] == pytest.approx(2500 * 0.2 * 10, rel=0.05)
    assert counts[1] == pytest.approx(0.25 * counts[0], rel=0.1)
    found = watch(np.full(201, -12.0), (50, 50), shot=10.0)
    assert np.mean(found.p) == pytest.approx(0.5, abs=0.03)
    assert len(np.unique(found.y.astype(int) * 50 + found.x)) > 1500


def test_thresholds_spread():
    steps = 2000
    found = watch(np.linspace(-2, 0, steps), (40, 40), contrast_on=0.2, contrast_spread=0.03)
    counts = np.bincount(found.y.astype(int) * 40 + found.x, minlength=1600)
    assert counts.mean() == pytest.approx(10, abs=0.6)
    assert 2 / counts.mean() * counts.std() / counts.mean() == pytest.approx(0.03, abs=0.012)


def test_no_change_no_events():
    found = watch(np.full(20, -1.0), (5, 6))
    assert len(found) == 0
    assert found.frames([0, 1000]).shape == (1, 2, 5, 6)


def test_scenes_are_sorted_and_inside(build):
    stream = build("events", height=40, width=60, length=30, shot=20.0)[0].events[0]
    assert (np.diff(stream.t) >= 0).all()
    assert stream.t[0] >= 0
    assert stream.t[-1] <= 29_000
    assert stream.frames([0, 29_001]).sum() == len(stream) > 1000
    assert (stream.x.dtype, stream.t.dtype, stream.p.dtype) == (np.int16, np.int64, np.bool_)


def test_events_sum_to_the_change_of_log_intensity(build):
    from spikecore_plugin_simulate.config import SceneOptions
    from spikecore_plugin_simulate.world import World

    stream = build("events", height=40, width=60, length=30, contrast_spread=0.0, floor=0.05)[0].events[0]
    world = World.random(SceneOptions(), 40, 60, np.random.default_rng([0, 0]))
    change = np.log(world.image(29) + 0.05) - np.log(world.image(0) + 0.05)
    counts = stream.frames([0, 29_001])[0]
    assert np.abs(0.2 * (counts[0] - counts[1]) - change).max() <= 0.2001


def test_seeds_and_clips(build):
    options = {"height": 24, "width": 32, "length": 10, "shot": 10.0}
    one, same, other = (build("events", clips=2, seed=seed, **options) for seed in (0, 0, 1))
    assert np.array_equal(one[1].events[0].t, same[1].events[0].t)
    assert len({one[0].events[0].t.tobytes(), one[1].events[0].t.tobytes(), other[0].events[0].t.tobytes()}) == 3


def test_video_states_its_own_time(build, video):
    sample = build("events", path=str(video))[0]
    assert sample.meta["fps"] == 25
    assert 400_000 < sample.events[0].t[-1] <= 440_000
    faster = build("events", path=str(video), fps=250.0)[0].events[0]
    assert np.allclose(faster.t, sample.events[0].t / 10, atol=1)
    assert len(build("events", path=str(video), length=3)[0].events[0].between(80_001, 10**7)) == 0
