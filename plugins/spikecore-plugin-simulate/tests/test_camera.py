"""The simulated spike camera against what it promises: rates, charge, noise, fixed patterns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from spikecore_plugin_simulate.camera import SpikeCamera
from spikecore_plugin_simulate.config import Reset, SpikeCameraOptions
from spikecore_plugin_simulate.integrate import integrate

SIZE = (20, 33)


def watch(image, frames, rate=0.6, seed=0, **options):
    """The camera after `frames` frames of a still picture, and its recording."""
    image = np.asarray(image, np.float32)
    camera = SpikeCamera(SpikeCameraOptions(**options), *image.shape, rate, np.random.default_rng(seed))
    return camera, camera.record([image] * frames, "still")


def grey(level, size=SIZE):
    return np.full(size, level, np.float32)


unit = st.floats(0, 1, width=32)


@given(
    light=arrays.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 21)), elements=unit),
    rate=st.floats(0.01, 1),
    threshold=st.sampled_from([0.5, 1.0, 2.5]),
    keep=st.booleans(),
)
def test_kernel_equals_a_loop_over_frames(light, rate, threshold, keep):
    pixels = light.shape[1]
    slope, extra = np.full(pixels, rate, np.float32), np.full(pixels, 0.01, np.float32)
    limit = np.full(pixels, threshold, np.float32)
    left = np.linspace(0.01, threshold, pixels).astype(np.float32)
    naive = left.copy()
    packed = np.empty(-(-pixels // 8), np.uint8)
    for frame in light:
        integrate(frame, slope, extra, limit, left, keep, packed)
        naive = naive - (slope * frame + extra)
        fired = naive <= 0
        naive = np.where(fired, (np.maximum(naive, -limit) if keep else 0) + limit, naive).astype(np.float32)
        assert np.array_equal(np.unpackbits(packed, bitorder="little")[:pixels], fired)
        assert not np.unpackbits(packed, bitorder="little")[pixels:].any()
        assert np.array_equal(left, naive)


@given(
    image=arrays.arrays(np.float32, (7, 9), elements=unit),
    rate=st.floats(0.01, 0.95),
    frames=st.integers(1, 120),
    dark=st.sampled_from([0.0, 0.05]),
)
def test_charge_is_conserved(image, rate, frames, dark):
    """What was collected is what was given away in spikes and what is there more than at first."""
    camera = SpikeCamera(SpikeCameraOptions(dark=dark), 7, 9, rate, np.random.default_rng(0))
    before = camera.left.reshape(7, 9).astype(float)
    stream = camera.record([image] * frames, "still")
    collected = frames * (rate * image.astype(float) + dark)
    assert np.allclose(collected, stream.counts() + before - camera.left.reshape(7, 9), atol=1e-4)


@given(rate=st.floats(0.02, 1), level=unit, threshold=st.floats(1, 3))
def test_rate_is_gain_times_grey(rate, level, threshold):
    frames = 200
    _, stream = watch(grey(level), frames, rate, threshold=threshold)
    expected = rate * level / threshold
    assert np.abs(stream.counts() - frames * expected).max() <= 1.001
    assert stream.counts().mean() / frames == pytest.approx(expected, abs=0.5 / frames)
    assert stream.gain == pytest.approx(threshold / rate)


def test_phases_are_spread():
    _, stream = watch(grey(0.5, (50, 50)), 10, rate=0.2)
    assert stream.unpack().reshape(10, -1).mean(1) == pytest.approx(np.full(10, 0.1), abs=0.03)
    _, stream = watch(grey(0.5), 10, rate=0.2, random_phase=False)
    assert stream.unpack().reshape(10, -1).mean(1).tolist() == [0.0] * 9 + [1.0]


def test_a_pixel_fires_at_most_once_a_frame_and_keeps_no_more_than_one_spike():
    camera, bright = watch(grey(1.0), 20, rate=1.0, threshold=0.25)
    assert bright.counts().min() == 20
    after = camera.record([grey(0.0)] * 20, "dark")
    assert after.counts().max() <= 1


@pytest.mark.parametrize(("rate", "interval"), [(0.3, 4), (0.25, 4), (0.6, 2), (1.0, 1)])
def test_charge_lost_at_the_read_out_makes_intervals_of_whole_frames(rate, interval):
    _, stream = watch(grey(1.0), 120, rate=rate, reset=Reset.ZERO)
    assert (np.abs(stream.counts() - 120 / interval) <= 1).all()


@pytest.mark.parametrize("photons", [9.0, 100.0])
def test_photon_noise_has_the_spread_of_poisson_counts(photons):
    _, stream = watch(grey(1.0, (40, 40)), 3000, rate=0.02, photons=photons)
    counts = stream.counts()
    assert counts.mean() == pytest.approx(60, abs=0.3)
    frames = stream.unpack().reshape(3000, -1)
    pixel, time = np.nonzero(frames.T)
    gaps = np.diff(time)[np.diff(pixel) == 0]
    assert gaps.mean() == pytest.approx(50, abs=1.0)
    assert gaps.std() / gaps.mean() == pytest.approx(photons**-0.5, rel=0.05)


def test_dark_current_and_hot_pixels():
    _, stream = watch(grey(0.0, (100, 100)), 100, dark=0.05, hot_share=0.02, hot_rate=0.4)
    rates = stream.counts() / 100
    hot = rates > 0.25
    assert rates[~hot].mean() == pytest.approx(0.05, abs=0.002)
    assert hot.mean() == pytest.approx(0.02, abs=0.006)
    assert rates[hot].mean() == pytest.approx(0.45, abs=0.02)


@pytest.mark.parametrize("pattern", ["threshold_spread", "gain_spread"])
def test_fixed_patterns(pattern):
    _, stream = watch(grey(1.0, (60, 60)), 2000, rate=0.5, **{pattern: 0.08})
    rates = stream.counts() / 2000
    assert rates.std() / rates.mean() == pytest.approx(0.08, rel=0.1)
    assert rates.mean() == pytest.approx(0.5, rel=0.02)
    again = watch(grey(1.0, (60, 60)), 2000, rate=0.5, **{pattern: 0.08})[1].counts() / 2000
    assert np.array_equal(rates, again)


def test_same_seed_same_bytes():
    noisy = {"photons": 20.0, "threshold_spread": 0.05, "hot_share": 0.01}
    one, same, other = (watch(grey(0.4), 50, seed=seed, **noisy)[1] for seed in (1, 1, 2))
    assert np.array_equal(one.packed, same.packed)
    assert not np.array_equal(one.packed, other.packed)
