from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from spikecore import ConfigError, Sample, SpikeStream, UsageError, collate

clips = arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=10), elements=st.integers(0, 1))
MODES = ("online", "offline")


@pytest.fixture(scope="session")
def crop(recording, golden):
    top, bottom, left, right = golden["crop"]
    return SpikeStream.from_frames(recording.unpack()[:, top:bottom, left:right])


def naive(pixel, at, mode, u0=0.15, D=1.0, F=10.0, f=0.15):
    """(R, u) of one pixel after frames 0..at, in float64, as the model is told."""
    resources, used, previous = 1.0, u0, 0
    for t in range(at + 1):
        if pixel[t]:
            dt = t + 1 - previous if previous or mode == "online" else math.inf
            old, previous = used, t + 1
            used = u0 + (used + f * (1 - used) - u0) * math.exp(-dt / F)
            resources = 1 - (1 - resources * (1 - old)) * math.exp(-dt / D)
    return resources, used


@settings(deadline=None)  # the first call compiles
@given(clips, st.sampled_from(MODES), st.data())
def test_states_are_those_of_the_model(build, clip, mode, data):
    at = data.draw(st.integers(0, len(clip) - 1))
    session = build("tfstp", mode=mode, D=3.0).session(SpikeStream.from_frames(clip))
    session.image(at)
    for y, x in np.ndindex(clip.shape[1:]):
        resources, used = naive(clip[:, y, x], at, mode, D=3.0)
        assert session.synapses.resources[y, x] == pytest.approx(resources, abs=1e-6)
        assert session.synapses.used[y, x] == pytest.approx(used, abs=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_states_and_picture_are_spikecvs(build, crop, golden, mode):
    session = build("tfstp", mode=mode, formula="compat", display="spikecv").session(crop)
    shown = np.round(session.image(150) * 255).astype(int)
    suffix = "online" if mode == "online" else "offline_t150"
    assert np.abs(session.synapses.resources - golden[f"R_{suffix}"]).max() < 1e-5
    assert np.abs(session.synapses.used - golden[f"u_{suffix}"]).max() < 1e-5
    assert np.abs(shown - golden[f"tfstp_{mode}_t150"]).max() <= 1


def test_the_intervals_are_spikecvs(crop, golden):
    np.testing.assert_array_equal(crop.intervals(150, closed="right"), golden["isi_t150"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("interval", [1, 2, 5, 10, 11, 12, 13, 14, 25, 60, 100])
def test_a_constant_rate_is_found(build, image, mode, interval):
    clip = np.add.outer(np.arange(50 * interval), np.arange(15).reshape(3, 5)) % interval == 0
    np.testing.assert_allclose(image(build("tfstp", mode=mode), clip, len(clip) - 1), 1 / interval, rtol=0.002)


@settings(deadline=None)  # the first call compiles
@given(clips, st.sampled_from(MODES), st.sampled_from(["none", "spikecv"]), st.data())
def test_a_session_gives_the_same_images(build, image, clip, mode, display, data):
    method, stream = build("tfstp", mode=mode, display=display, gamma=2.2), SpikeStream.from_frames(clip)
    session = method.session(stream)
    for at in sorted(data.draw(st.lists(st.integers(0, len(clip) - 1)))):
        np.testing.assert_array_equal(session.image(at), image(method, stream, at))


def test_long_recordings_are_taken_in_piece_by_piece(build, image):
    clip = np.random.default_rng(3).random((150, 3, 5)) < 0.2
    resources, used = naive(clip[:, 1, 2], 149, "online")
    session = build("tfstp").session(SpikeStream.from_frames(clip))
    session.image(149)
    assert session.synapses.resources[1, 2] == pytest.approx(resources, abs=1e-6)
    assert session.synapses.used[1, 2] == pytest.approx(used, abs=1e-6)


@pytest.mark.parametrize("formula", ["paper", "compat"])
def test_pixels_that_never_fired_are_black(build, image, formula):
    assert (image(build("tfstp", formula=formula), np.zeros((30, 3, 5), bool), 29) == 0).all()


@settings(deadline=None)  # the first call compiles
@given(clips, st.sampled_from(["paper", "compat"]), st.floats(0.01, 0.99), st.floats(0.1, 1000), st.floats(1, 1000))
def test_images_are_finite_whatever_the_parameters(build, image, clip, formula, f, D, F):
    assert (image(build("tfstp", formula=formula, u0=f, f=f, D=D, F=F), clip, len(clip) - 1) >= 0).all()


def test_is_causal(build, image):
    clip = np.random.default_rng(4).random((60, 3, 5)) < 0.3
    changed = clip.copy()
    changed[41:] = ~clip[41:]
    np.testing.assert_array_equal(image(build("tfstp"), clip, 40), image(build("tfstp"), changed, 40))


def test_items_of_a_batch_are_independent(build, image):
    rng, method = np.random.default_rng(5), build("tfstp")
    streams = [SpikeStream.from_frames(rng.random((length, 3, 7)) < 0.3) for length in (20, 30)]
    samples = [Sample(key="s", spikes=stream, at=at) for stream, at in zip(streams, (19, 3), strict=True)]
    batch = method.reconstruct(collate(samples))
    for result, sample in zip(batch, samples, strict=True):
        np.testing.assert_array_equal(result[0], image(method, sample.spikes, sample.at))


def test_a_session_does_not_go_back(build):
    session = build("tfstp").session(SpikeStream.from_frames(np.ones((9, 2, 2), bool)))
    session.image(5)
    session.image(5)
    for at in (4, 9):
        with pytest.raises(UsageError, match=f"cannot go on to instant {at} after 6 of 9 frames"):
            session.image(at)


@pytest.mark.parametrize("options", [{"u0": 1.0}, {"f": 0.0}, {"D": 0}, {"F": 0.5}, {"mode": "later"}])
def test_refuses_options_outside_the_model(build, options):
    with pytest.raises(ConfigError):
        build("tfstp", **options)
