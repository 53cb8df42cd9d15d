"""Features of NIQE and BRISQUE, and the halving between their scales, against formulas written out in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_iqa import brisque, niqe
from spikecore_plugin_iqa.filters import halve
from spikecore_plugin_iqa.scene_statistics import fit_skewed, fit_symmetric

SHAPES = np.arange(200, 10_001) / 1000


def ratio_of(shape):
    return math.gamma(2 / shape) ** 2 / (math.gamma(1 / shape) * math.gamma(3 / shape))


RATIOS = np.array([ratio_of(shape) for shape in SHAPES])


def naive_skewed(values):
    left = math.sqrt(np.mean(values[values < 0] ** 2))
    right = math.sqrt(np.mean(values[values > 0] ** 2))
    skew = left / right
    ratio = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    return SHAPES[np.argmin(np.abs(RATIOS - ratio))], left, right


def naive_normalised(picture, mode):
    axis = np.exp(-(np.arange(-3, 4) ** 2) / (2 * (7 / 6) ** 2))
    weights = np.outer(axis, axis) / axis.sum() ** 2
    padded = np.pad(picture, 3, mode=mode)
    mapped = np.empty_like(picture)
    for y, x in np.ndindex(picture.shape):
        window = padded[y : y + 7, x : x + 7]
        mean = (weights * window).sum()
        mapped[y, x] = (picture[y, x] - mean) / (math.sqrt((weights * (window - mean) ** 2).sum()) + 1)
    return mapped


def naive_halve(picture):
    """MATLAB's imresize(picture, 0.5): cubic kernel stretched by two, mirrored at the border."""

    def kernel(x):
        x = abs(x)
        return 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0

    def matrix(side):
        found = np.zeros((math.ceil(side / 2), side))
        for out, at in np.ndindex(len(found), 3 * side):
            source = at - side
            mirror = -1 - source if source < 0 else 2 * side - 1 - source if source >= side else source
            found[out, mirror] += kernel((source - (2 * out + 0.5)) / 2) / 2
        return found / found.sum(1, keepdims=True)

    return matrix(picture.shape[0]) @ picture @ matrix(picture.shape[1]).T


def naive_niqe(block_maps, shifts):
    found = []
    shape, left, right = naive_skewed(block_maps)
    found += [shape, (left + right) / 2 * math.sqrt(math.gamma(1 / shape) / math.gamma(3 / shape))]
    for shift in shifts:
        shape, left, right = naive_skewed(block_maps * np.roll(block_maps, shift, (0, 1)))
        left, right = (side * math.sqrt(math.gamma(1 / shape) / math.gamma(3 / shape)) for side in (left, right))
        found += [shape, (right - left) * math.gamma(2 / shape) / math.gamma(1 / shape), left, right]
    return found


def naive_brisque(maps, shifts):
    variance = np.mean(maps**2)
    shape = SHAPES[np.argmin(np.abs(RATIOS - np.mean(np.abs(maps)) ** 2 / variance))]
    found = [shape, variance]
    for shift in shifts:
        shape, left, right = naive_skewed(maps * np.roll(maps, shift, (0, 1)))
        root = math.sqrt(math.gamma(1 / shape) * math.gamma(3 / shape))
        found += [shape, (right - left) * math.gamma(2 / shape) / root, left**2, right**2]
    return found


def test_brisque_features_are_their_formulas(picture):
    values = np.round(255 * picture(23, 30).astype(float))
    expected = [
        *naive_brisque(naive_normalised(values, "constant"), brisque.SHIFTS),
        *naive_brisque(naive_normalised(naive_halve(values), "constant"), brisque.SHIFTS),
    ]
    (found,) = brisque.features(torch.from_numpy(values)[None, None]).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_niqe_features_are_their_formulas(picture):
    values = np.round(255 * picture(96, 192).astype(float))
    scales = [(naive_normalised(values, "edge"), 96), (naive_normalised(naive_halve(values), "edge"), 48)]
    expected = [
        np.concatenate([naive_niqe(maps[:, block * side :][:, :side], niqe.SHIFTS) for maps, side in scales])
        for block in range(2)
    ]
    found = niqe.features(torch.from_numpy(values)[None, None]).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@given(st.integers(4, 19), st.integers(4, 19), st.integers(0, 9))
def test_halving_is_matlabs(height, width, seed):
    values = np.random.default_rng(seed).random((2, 1, height, width))
    found = halve(torch.from_numpy(values)).numpy()
    assert found.shape == (2, 1, math.ceil(height / 2), math.ceil(width / 2))
    for one, other in zip(found, values, strict=True):
        np.testing.assert_allclose(one[0], naive_halve(other[0]), atol=1e-12)


@given(st.floats(0.3, 9), st.floats(0.3, 3), st.integers(0, 5))
def test_a_fit_finds_the_nearest_shape(power, skew, seed):
    noise = np.random.default_rng(seed).standard_normal(400)
    values = np.sign(noise) * np.abs(noise) ** power * np.where(noise > 0, skew, 1)
    shape, left, right = (float(part[0]) for part in fit_skewed(torch.from_numpy(values)[None]))
    assert (shape, left, right) == pytest.approx(naive_skewed(values), rel=1e-9)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 4.0])
def test_fits_recover_the_shape_of_samples(shape):
    """|x| = g^(1/shape) with g from a gamma distribution of shape 1/shape makes x a generalised Gaussian.

    One of scales 1 and 2 left and right of zero has a third and two thirds of its values there.
    """
    random = np.random.default_rng(0)
    sizes = torch.from_numpy(random.gamma(1 / shape, size=400_000) ** (1 / shape))[None]
    sides = torch.from_numpy(random.random(400_000))
    found, variance = fit_symmetric(torch.where(sides < 1 / 2, -sizes, sizes))
    assert float(found) == pytest.approx(shape, rel=0.02)
    assert float(variance) == pytest.approx(math.gamma(3 / shape) / math.gamma(1 / shape), rel=0.02)
    skewed = fit_skewed(torch.where(sides < 1 / 3, -sizes, 2 * sizes))
    assert float(skewed.shape) == pytest.approx(shape, rel=0.02)
    assert float(skewed.right / skewed.left) == pytest.approx(2, rel=0.02)


def test_one_sided_values_have_no_fit():
    fit = fit_skewed(torch.rand(2, 50, dtype=torch.float64))
    assert fit.shape.isnan().all()
    assert fit_symmetric(torch.zeros(1, 50, dtype=torch.float64))[0].isnan().all()
