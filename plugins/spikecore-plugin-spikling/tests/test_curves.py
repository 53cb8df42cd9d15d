"""The closed forms are NumPy's fits, pixel by pixel, and repair what the original gets wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from spikecore_plugin_spikling.compat import brightness_polynome, integral_polynome
from spikecore_plugin_spikling.spike_times import two_spikes

from spikecore import SpikeStream, UsageError

shapes = st.tuples(st.integers(2, 16), st.integers(1, 2), st.integers(1, 9))
clips = arrays(np.uint8, shapes, elements=st.integers(0, 1), fill=st.nothing())
INTEGRAL = {"brightness-curve": False, "integral-curve": True}


def four_times(pixel, k):
    """Spike times around k, the original's stand-ins where there is none; at k = 0 these lie a frame earlier."""
    spikes, last, first = [int(t) for t in np.flatnonzero(pixel)], len(pixel) - 1, -(k == 0)
    before, after = [t for t in spikes if t < k], [t for t in spikes if t >= k]
    return [
        before[-2] if len(before) > 1 else first - 1,
        before[-1] if before else first,
        after[0] if after else last,
        after[1] if len(after) > 1 else last + 1,
    ]


def naive(pixel, k, integral):
    times = np.array(four_times(pixel, k), float)
    if integral:
        return np.polyval(np.polyder(np.polyfit(times - k, [0, 256, 512, 768], 2)), 0)
    return np.polyval(np.polyfit((times[1:] + times[:-1]) / 2 - k, 255 / np.diff(times), 1), 0)


@settings(deadline=None)  # the first call compiles
@given(clips)
def test_two_spikes_on_either_side_are_found(clip):
    stream = SpikeStream.from_frames(clip)
    for at in range(len(clip)):
        found = two_spikes(stream, at)
        for y, x in np.ndindex(clip.shape[1:]):
            spikes = np.flatnonzero(clip[:, y, x])
            before, after = at - spikes[spikes < at][::-1], spikes[spikes >= at] - at
            wanted = [*(np.append(before, [-1, -1])[1::-1]), *np.append(after, [-1, -1])[:2]]
            assert [int(distance[y, x]) for distance in found] == [int(one) for one in wanted]


@settings(deadline=None)
@given(clips)
def test_closed_forms_are_polyfit(clip):
    for k in range(len(clip)):
        for function, integral in ((brightness_polynome, False), (integral_polynome, True)):
            ours = function(clip, k)
            assert ours.dtype == np.float64
            for y, x in np.ndindex(ours.shape):
                assert ours[y, x] == pytest.approx(min(naive(clip[:, y, x], k, integral) + 30, 255), abs=1e-6)


def test_late_instants_lose_nothing():
    random = np.random.default_rng(0)
    clip = random.random((60, 4, 5)) < 0.2
    late = np.concatenate([np.zeros((20_000, 4, 5), bool), clip])
    late[19_990:20_000] = clip[:10]
    for function in (brightness_polynome, integral_polynome):
        np.testing.assert_allclose(
            function(late, 20_030), function(np.concatenate([clip[:10], clip]), 40), atol=1e-9, rtol=0
        )


@pytest.mark.parametrize("k", [1, 5, 9])
def test_edges_are_the_originals(golden, k):
    with np.load(golden / "edge_and_curves.npz") as held:
        np.testing.assert_allclose(brightness_polynome(held["edge"], k), held[f"brightness_k{k}"], atol=1e-6)
        np.testing.assert_allclose(integral_polynome(held["edge"], k), held[f"integral_k{k}"], atol=1e-6)


def test_pictures_are_the_originals(golden):
    with np.load(golden / "edge_and_curves.npz") as held:
        for name, function in (("brightness", brightness_polynome), ("integral", integral_polynome)):
            np.testing.assert_allclose(function(held["small"], 60), held[f"small_{name}_k60"], atol=1e-6)


@pytest.mark.parametrize(("name", "integral"), INTEGRAL.items())
def test_silent_pixels_are_dark_and_bright_in_the_original(build, image, name, integral):
    clip = np.zeros((60, 2, 3), np.uint8)
    assert (image(build(name), clip, 30) == 0).all()
    level = int(naive(clip[:, 0, 0], 30, integral) + 30)
    assert level > 30
    assert (image(build(name, compat=True), clip, 30) == np.float32(level / 255)).all()


@pytest.mark.parametrize(("name", "integral"), INTEGRAL.items())
def test_levels_are_the_originals_or_their_neighbours(build, image, name, integral):
    clip = (np.arange(60)[:, None, None] + np.arange(12).reshape(3, 4)) % np.arange(1, 13).reshape(3, 4) == 0
    clip |= np.random.default_rng(2).random(clip.shape) < 0.05
    levels = np.rint(255 * image(build(name, compat=True), clip, 30))
    wanted = [min(int(naive(clip[:, y, x], 30, integral) + 30), 255) for y, x in np.ndindex(3, 4)]
    assert np.abs(levels.ravel() - np.maximum(wanted, 0)).max() <= 1


@pytest.mark.parametrize("name", INTEGRAL)
def test_where_a_spike_is_missing_the_interval_is_taken(build, image, name):
    clip = np.zeros((40, 1, 4), np.uint8)
    clip[[18, 23], 0, 0] = clip[18, 0, 1] = clip[[2, 12, 22, 32], 0, 2] = clip[[18, 22, 30], 0, 3] = 1
    picture = image(build(name), clip, 20)
    np.testing.assert_allclose(picture[0, :3], [1 / 5, 1 / 21, 1 / 10], rtol=1e-6)
    assert picture[0, 3] == np.float32(1 / 4)


@pytest.mark.parametrize("name", INTEGRAL)
def test_the_offset_is_ours_or_the_originals(build, image, name):
    clip = np.random.default_rng(1).random((60, 5, 6)) < 0.4
    plain, brighter = image(build(name), clip, 30), image(build(name, offset=30.0), clip, 30)
    np.testing.assert_allclose(brighter - plain, 30 / 255, atol=1e-6)
    original, dark = image(build(name, compat=True), clip, 30), image(build(name, compat=True, offset=0.0), clip, 30)
    assert (original >= dark).all()
    assert np.array_equal(np.rint(255 * original), np.clip(brightness_or_integral(name, clip), 0, 255).astype(np.uint8))


def brightness_or_integral(name, clip):
    return (integral_polynome if INTEGRAL[name] else brightness_polynome)(clip, 30)


def test_frames_outside_the_recording_are_refused():
    for k in (-1, 10):
        with pytest.raises(UsageError, match=r"frames are 0\.\.9"):
            integral_polynome(np.zeros((10, 2, 2), np.uint8), k)
