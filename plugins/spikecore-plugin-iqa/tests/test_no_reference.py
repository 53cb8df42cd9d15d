"""NIQE, BRISQUE and PIQE: published values, values of other programs, and what must hold for any picture."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from spikecore import UsageError


def test_niqe_of_the_test_pair(score, pair):
    """BasicSR's code gives 10.6940 and 3.0962."""
    noisy, clean = (picture / 255 for picture in pair)
    assert score("niqe", noisy) == pytest.approx(10.6940, abs=1e-3)
    assert score("niqe", clean) == pytest.approx(3.0962, abs=1e-3)


def test_piqe_of_the_test_pair(score, pair):
    """pypiqe 1.2 gives 67.9539 and 40.1374, pyiqa 0.1.16 67.9539 and 40.0116."""
    noisy, clean = (picture / 255 for picture in pair)
    assert score("piqe", noisy) == pytest.approx(67.9539, abs=1e-2)
    assert score("piqe", clean) == pytest.approx(40.1374, abs=1e-2)


def test_brisque_of_the_test_pair_puts_noise_last(score, pair, live_svm):
    noisy, clean = (picture / 255 for picture in pair)
    assert score("brisque", clean, model=live_svm) < 0 < 50 < score("brisque", noisy, model=live_svm)


PYIQA = [  # picture, display, NIQE, BRISQUE and PIQE of pyiqa 0.1.16 with the same parameters
    ("out", "clip", 5.43, 11.67, 15.63),
    ("out", "minmax", 5.23, 11.62, 17.10),
    ("tfi", "clip", 10.55, 23.27, 47.80),
    ("tfi", "minmax", 9.93, 32.57, 51.28),
    ("tfp", "clip", 13.66, 28.29, 61.61),
    ("tfp", "minmax", 14.04, 46.36, 61.61),
]


@pytest.mark.parametrize(("name", "display", "niqe", "brisque", "piqe"), PYIQA)
def test_values_of_a_real_recording(score, uhsr, live_svm, name, display, niqe, brisque, piqe):
    """To the two decimals published; pyiqa computes in float32, which moves the third."""
    assert score("niqe", uhsr[name], display=display) == pytest.approx(niqe, abs=0.01)
    assert score("brisque", uhsr[name], display=display, model=live_svm) == pytest.approx(brisque, abs=0.015)
    assert score("piqe", uhsr[name], display=display) == pytest.approx(piqe, abs=0.05)


def test_how_brisque_comes_to_whole_numbers(score, picture, svm_file):
    image = picture(60, 70)
    scores = {way: score("brisque", image, levels=way, model=svm_file) for way in ("round", "truncate", "exact")}
    assert len(set(scores.values())) == 3
    assert scores["round"] == score("brisque", image, model=svm_file)
    assert scores["truncate"] == score("brisque", np.floor(255 * image) / 255, model=svm_file)


def test_parameters_are_those_of_basicsr(build, shared):
    io = pytest.importorskip("scipy.io", reason="scipy is not installed: it reads .mat files")
    held = io.loadmat(shared / "data/iqa/niqe_modelparameters.mat")
    metric = build("niqe")
    assert metric.mean.dtype == metric.covariance.dtype == torch.float64
    assert np.array_equal(metric.mean.numpy(), held["mu_prisparam"][0])
    assert np.array_equal(metric.covariance.numpy(), held["cov_prisparam"])


@pytest.mark.parametrize("size", [(16, 16), (48, 64), (50, 33), (95, 130)])
def test_piqe_is_pypiqes(score, picture, size):
    pypiqe = pytest.importorskip("pypiqe", reason="pypiqe is not installed")
    for seed, brightest in enumerate((255, 153, 51)):  # 255 over these times a whole number never ends in a half
        image = picture(*size, seed).astype(float)
        values = np.round(brightest * image / image.max())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it divides by zero in flat blocks
            expected = pypiqe.piqe(values)[0]
        assert score("piqe", values / 255) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["niqe", "piqe"])
def test_more_noise_is_worse(score, picture, name):
    y, x = np.mgrid[:200, :230] / 9
    smooth = 0.5 + 0.2 * np.sin(x + np.sin(y)) + 0.2 * np.cos(1.3 * y)
    noise = np.random.default_rng(3).standard_normal(smooth.shape)
    scores = [score(name, (smooth + error * noise).clip(0, 1)) for error in (0.02, 0.1, 0.3)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1] - 1


def test_ground_truth_is_ignored(build, picture):
    metric = build("piqe")
    metric.update(torch.from_numpy(picture(40, 40))[None, None], torch.full((7, 2), torch.nan))
    assert 0 < float(metric.compute()) <= 100


@pytest.mark.parametrize("name", ["niqe", "brisque", "piqe"])
def test_colour_becomes_grey(score, picture, options_of, name):
    options = options_of.get(name, {})
    colours = np.stack([picture(193, 197, seed) for seed in (1, 2, 3)])
    grey = np.tensordot((0.299, 0.587, 0.114), colours.astype(float), 1)
    assert score(name, colours[None], **options) == pytest.approx(score(name, grey, **options), rel=1e-3)
    same = np.repeat(colours[:1], 3, 0)[None]
    assert score(name, same, **options) == pytest.approx(score(name, colours[0], **options), rel=1e-6)


@pytest.mark.parametrize("name", ["niqe", "brisque", "piqe"])
def test_display_stretches_or_clips(score, picture, options_of, name):
    options = options_of.get(name, {})
    image = picture(193, 197).astype(float)
    stretched = (image - image.min()) / (image.max() - image.min())
    assert score(name, stretched, **options) != pytest.approx(score(name, image, **options), rel=1e-6)
    minmax = score(name, 5 * image - 1, display="minmax", **options)
    assert minmax == pytest.approx(score(name, stretched, **options), rel=1e-2)  # float32 moves some roundings
    clipped = score(name, (3 * image - 1).clip(0, 1), **options)
    assert score(name, 3 * image - 1, **options) == pytest.approx(clipped, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "size"), [("niqe", (97, 193)), ("brisque", (17, 19)), ("piqe", (5, 3)), ("piqe", (1, 1))]
)
def test_sizes_that_are_multiples_of_nothing(score, picture, options_of, name, size):
    assert np.isfinite(score(name, picture(*size), **options_of.get(name, {})))


def test_niqe_judges_whole_blocks(score, picture):
    image = picture(200, 300)
    assert score("niqe", image) == score("niqe", image[:192, :288])


def test_pictures_too_small_are_refused(score, picture, svm_file):
    with pytest.raises(UsageError, match=r"150x191 pixels.*two whole blocks of 96x96"):
        score("niqe", picture(150, 191))
    with pytest.raises(UsageError, match=r"15x30 pixels.* 16 a side"):
        score("brisque", picture(15, 30), model=svm_file)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_flat_pictures(score, svm_file, value):
    flat = np.full((192, 288), value, np.float32)
    assert score("piqe", flat) == 100
    with pytest.raises(UsageError, match="found 0: the picture is flat"):
        score("niqe", flat)
    if not value:  # others are not flat, since black is what lies beyond their border
        with pytest.raises(UsageError, match="192x288 pixels without texture"):
            score("brisque", flat, model=svm_file)


def test_niqe_leaves_out_blocks_without_texture(score, picture):
    image = picture(96, 288)
    image[:, 180:] = 0.5  # the texture of a block reaches a little into the next
    assert score("niqe", image) == pytest.approx(score("niqe", image[:, :192]), rel=1e-12)
    image[:, 84:] = 0.5
    with pytest.raises(UsageError, match="found 1"):
        score("niqe", image)
