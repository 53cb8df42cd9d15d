"""Both filters are the documented algorithms, also as options of a method."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from spikecore_plugin_spikling.compat import denoising, smoothing

pictures = arrays(
    np.float64,
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    elements=st.sampled_from([0.0, 10.0, 20.0, 30.0, 60.0, 200.0, 255.0]),
    fill=st.nothing(),
)
WEIGHTS = {(0, 1): 0.8, (1, 0): 0.8, (0, 2): 0.6, (2, 0): 0.6, (1, 1): 0.3}


def naive_denoising(image):
    image = image.copy()
    for y in range(1, image.shape[0] - 1):
        for x in range(1, image.shape[1] - 1):
            around = np.delete(image[y - 1 : y + 2, x - 1 : x + 2].ravel(), 4)
            if np.sum(np.abs(image[y, x] - around) > 20) > 5:
                image[y, x] = (image[y, x] + around.sum() / 2) / 5
    return image


def naive_smoothing(image):
    result = np.empty_like(image)
    for y, x in np.ndindex(image.shape):
        total, weights = image[y, x], 1.0
        for v, u in np.ndindex(image.shape):
            weight = WEIGHTS.get((abs(v - y), abs(u - x)))
            if weight and abs(image[v, u] - image[y, x]) < 20:
                total, weights = total + weight * image[v, u], weights + weight
        result[y, x] = total / weights
    return result


@settings(deadline=None)  # the first call compiles
@given(pictures)
def test_filters_are_plain_loops(picture):
    before = picture.copy()
    np.testing.assert_allclose(denoising(picture), naive_denoising(picture), atol=1e-9)
    np.testing.assert_allclose(smoothing(picture), naive_smoothing(picture), atol=1e-9)
    assert np.array_equal(picture, before)


def test_filters_are_the_originals(golden):
    with np.load(golden / "filters.npz") as held:
        np.testing.assert_allclose(denoising(held["noisy"]), held["denoised"], atol=1e-6)
        np.testing.assert_allclose(smoothing(held["noisy"]), held["smoothed"], atol=1e-6)


def test_integers_do_not_wrap_around():
    picture = np.full((5, 5), 10, np.uint8)
    picture[2, 2] = 250
    assert denoising(picture)[2, 2] == (250 + 8 * 10 / 2) / 5


def test_methods_apply_them_in_order(build, image):
    clip = np.random.default_rng(0).random((40, 9, 11)) < 0.3
    plain = image(build("interval"), clip, 20).astype(np.float64) * 255
    both = image(build("interval", filters=["denoise", "smooth"]), clip, 20)
    np.testing.assert_allclose(both, smoothing(denoising(plain)) / 255, atol=1e-5)
    assert not np.allclose(both, denoising(smoothing(plain)) / 255, atol=1e-5)
