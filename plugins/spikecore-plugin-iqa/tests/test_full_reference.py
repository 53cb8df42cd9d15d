"""PSNR, SSIM and MS-SSIM: published values, scikit-image, formulas written out, and what must hold for any picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikecore import UsageError


def grey_pictures(lowest=7, highest=16):
    sides = st.tuples(st.integers(lowest, highest), st.integers(lowest, highest))
    values = st.floats(0, 1, width=32)
    return sides.flatmap(lambda size: st.tuples(*[arrays(np.float32, size, elements=values)] * 2))


def test_psnr_of_the_test_pair(score, pair):
    noisy, clean = (picture / 255 for picture in pair)
    for convention in ("standard", "spikezoo", "spikecv"):
        assert score("psnr", noisy, clean, convention=convention) == pytest.approx(22.401182, abs=1e-6)


def test_ssim_of_the_test_pair(score, pair):
    noisy, clean = (picture / 255 for picture in pair)
    assert score("ssim", noisy, clean) == pytest.approx(0.357760, abs=1e-6)
    assert score("ssim", noisy, clean, window="uniform") == pytest.approx(0.367053, abs=1e-6)
    assert score("ssim", noisy, clean, convention="spikecv") == pytest.approx(0.357760, abs=1e-6)


def test_ms_ssim_of_the_test_pair(score, pair):
    noisy, clean = (picture / 255 for picture in pair)
    assert score("ms-ssim", noisy, clean) == pytest.approx(0.79465, abs=5e-6)


CASES = [  # options of ours, values compared, options of scikit-image
    ({}, lambda x: x, {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}),
    ({"window": "uniform"}, lambda x: x, {"data_range": 1}),
    ({"convention": "spikezoo"}, lambda x: 2 * x - 1, {"data_range": 2}),
    (
        {"convention": "spikezoo", "window": "gaussian"},
        lambda x: 2 * x - 1,
        {"data_range": 2, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
    ),
    (
        {"convention": "spikecv"},
        lambda x: np.round(255 * x),
        {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
    ),
    ({"convention": "spikecv", "window": "uniform"}, lambda x: np.round(255 * x), {"data_range": 255}),
]


@pytest.mark.parametrize(("options", "values", "reference"), CASES, ids=lambda part: str(part))
def test_every_ssim_is_scikit_images(score, picture, options, values, reference):
    metrics = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    first, second = picture(61, 47, 1), picture(61, 47, 2)
    expected = metrics.structural_similarity(values(first.astype(float)), values(second.astype(float)), **reference)
    assert score("ssim", first, second, **options) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("size", [(161, 161), (175, 203), (192, 166)])
def test_ms_ssim_at_odd_sizes_is_made_of_scikit_images_scales(score, picture, size):
    """With a huge K1 the luminance term of scikit-image's SSIM is 1, what remains is the contrast-structure part."""
    metrics = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    wang = {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    first, second = picture(*size, 1).astype(float), picture(*size, 1).astype(float) ** 1.3
    second += 0.05 * np.random.default_rng(0).standard_normal(size)
    first, second = first.clip(0, 1).astype(np.float32), second.clip(0, 1).astype(np.float32)
    found, expected = score("ms-ssim", first, second), 1.0
    first, second = first.astype(float), second.astype(float)
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333), 1):
        part = metrics.structural_similarity(first, second, **wang, K1=0.01 if scale == 5 else 1e6)
        expected *= part**weight
        first, second = coarser(first), coarser(second)
    assert found == pytest.approx(expected, abs=1e-7)


def coarser(picture):
    even = np.pad(picture, [(0, side % 2) for side in picture.shape], mode="edge")
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


@given(grey_pictures())
def test_psnr_is_its_formula(score, both):
    first, second = (picture.astype(float) for picture in both)
    error = np.square(first - second).mean()
    expected = -10 * math.log10(error) if error else math.inf
    assert score("psnr", *both) == pytest.approx(expected, rel=1e-9)
    assert score("psnr", *both, convention="spikezoo") == pytest.approx(expected, rel=1e-9)
    rounded = np.square(np.round(255 * first) - np.round(255 * second)).mean()
    expected = 10 * math.log10(255**2 / rounded) if rounded else math.inf
    assert score("psnr", *both, convention="spikecv") == pytest.approx(expected, rel=1e-9)


@settings(max_examples=25)
@given(grey_pictures(11))
def test_ssim_is_its_formula_window_by_window(score, both):
    axis = np.exp(-np.square(np.arange(-5, 6)) / 4.5)
    gaussian = np.outer(axis, axis) / axis.sum() ** 2
    assert score("ssim", *both) == pytest.approx(naive_ssim(*both, gaussian, 1, 1), abs=1e-9)
    box = np.full((7, 7), 1 / 49)
    assert score("ssim", *both, window="uniform") == pytest.approx(naive_ssim(*both, box, 49 / 48, 1), abs=1e-9)
    mapped = [2 * picture.astype(float) - 1 for picture in both]
    expected = naive_ssim(*mapped, box, 49 / 48, 2)
    assert score("ssim", *both, convention="spikezoo") == pytest.approx(expected, abs=1e-9)


def naive_ssim(first, second, weights, unbias, span):
    side = len(weights)
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    found = []
    for y in range(first.shape[0] - side + 1):
        for x in range(first.shape[1] - side + 1):
            a, b = (picture[y : y + side, x : x + side].astype(float) for picture in (first, second))
            m, n = (weights * a).sum(), (weights * b).sum()
            v, w = (unbias * (weights * (part - mean) ** 2).sum() for part, mean in ((a, m), (b, n)))
            c = unbias * (weights * (a - m) * (b - n)).sum()
            found.append((2 * m * n + c1) * (2 * c + c2) / ((m * m + n * n + c1) * (v + w + c2)))
    return np.mean(found)


@given(grey_pictures(11))
def test_values_cut_to_8_bits(score, both):
    """As a cast to unsigned bytes cuts pictures in double precision, from which those of single precision are made."""
    cut = [(255 * picture.astype(float) + 1e-4).astype(np.uint8).astype(float) for picture in both]
    error = np.square(cut[0] - cut[1]).mean()
    expected = 10 * math.log10(255**2 / error) if error else math.inf
    options = {"convention": "spikecv", "levels": "truncate"}
    assert score("psnr", *both, **options) == pytest.approx(expected, rel=1e-9)
    again = score("ssim", *(picture / 255 for picture in cut), convention="spikecv")
    assert score("ssim", *both, **options) == pytest.approx(again, abs=1e-9)
    assert score("ssim", *both, convention="spikecv", levels="exact") == pytest.approx(score("ssim", *both), abs=1e-9)


def test_pictures_of_8_bits_stay_as_they_are(score):
    """Single precision holds k / 255 inexactly, half of them a little below."""
    levels = np.arange(256, dtype=np.float32).reshape(16, 16)
    for way in ("round", "truncate", "exact"):
        found = score("psnr", levels / 255, np.zeros_like(levels), convention="spikecv", levels=way)
        assert found == pytest.approx(10 * math.log10(255**2 / np.square(levels).mean()), abs=1e-6)


def test_levels_that_would_have_no_effect_are_refused(build):
    for name in ("psnr", "ssim"):
        with pytest.raises(UsageError, match="levels=truncate has no effect on convention=spikezoo"):
            build(name, convention="spikezoo", levels="truncate")


METRICS = [("psnr", math.inf), ("ssim", 1.0), ("ms-ssim", 1.0)]


@pytest.mark.parametrize(("name", "best"), METRICS)
def test_identity_symmetry_and_order(score, picture, name, best):
    truth = picture(170, 163)
    noise = np.random.default_rng(1).standard_normal(truth.shape).astype(np.float32)
    guesses = [(truth + error * noise).clip(0, 1) for error in (0.0, 0.02, 0.1, 0.4)]
    scores = [score(name, guess, truth) for guess in guesses]
    assert scores[0] == best
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4
    assert score(name, truth, guesses[2]) == pytest.approx(scores[2], abs=1e-12)


@pytest.mark.parametrize("name", ["ssim", "ms-ssim"])
def test_colour_is_the_mean_over_channels(score, picture, name):
    first = np.stack([picture(165, 171, seed) for seed in (1, 2, 3)])
    second = np.stack([picture(165, 171, seed) ** 1.2 for seed in (1, 2, 4)])
    single = [score(name, one, other) for one, other in zip(first, second, strict=True)]
    assert score(name, first[None], second[None]) == pytest.approx(np.mean(single), abs=1e-12)


def test_crop_leaves_out_the_border(score, picture):
    first, second = picture(30, 41, 1), picture(30, 41, 2)
    for name in ("psnr", "ssim"):
        inner = score(name, first[3:-3, 3:-3], second[3:-3, 3:-3])
        assert score(name, first, second, crop=3) == inner


def test_pictures_are_clipped_first(score, picture):
    first, second = 3 * picture(30, 41, 1) - 1, picture(30, 41, 2)
    for name in ("psnr", "ssim"):
        assert score(name, first, second) == score(name, first.clip(0, 1), second)


@pytest.mark.parametrize(
    ("name", "size", "needed"), [("ssim", (10, 40), "11"), ("ms-ssim", (160, 300), "161"), ("ms-ssim", (64, 64), "161")]
)
def test_too_small_pictures_are_refused(score, picture, name, size, needed):
    with pytest.raises(UsageError, match=rf"{size[0]}x{size[1]} pixels.* {needed} a side"):
        score(name, picture(*size), picture(*size))


def test_sizes_that_differ_are_refused(score, picture):
    for name in ("psnr", "ssim", "ms-ssim"):
        with pytest.raises(UsageError, match="differ in size"):
            score(name, picture(170, 170), picture(170, 171))
