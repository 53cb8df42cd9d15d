"""What every metric refuses, and what it gives on other devices and types."""

from __future__ import annotations

import pytest
import torch

from spikecore import ConfigError, UsageError

NAMES = ["psnr", "ssim", "ms-ssim", "lpips", "niqe", "brisque", "piqe"]
SIZE = (1, 1, 194, 193)


@pytest.fixture(params=NAMES)
def metric(request, build, options_of):
    return build(request.param, **options_of.get(request.param, {}))


@pytest.fixture
def image(picture):
    return torch.from_numpy(picture(*SIZE[2:]))[None, None]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_values_that_are_not_finite(metric, image, value):
    bad = image.clone()
    bad[0, 0, 5, 7] = value
    with pytest.raises(UsageError, match="images hold 1 pixels of NaN or infinity"):
        metric.update(bad, image)


@pytest.mark.parametrize("shape", [SIZE[2:], SIZE[1:], (1, 2, 194, 193), (1, 4, 194, 193), (1, 1, 1, 194, 193)])
def test_shapes_that_are_not_pictures(metric, shape):
    with pytest.raises(UsageError, match=r"expected \(N, C, H, W\) with 1 or 3 channels"):
        metric.update(torch.rand(shape), torch.rand(shape))


def test_whole_numbers(metric, image):
    with pytest.raises(UsageError, match=r"torch\.uint8; expected floating point.*divide 8-bit pictures by 255"):
        metric.update((255 * image).byte(), (255 * image).byte())


def test_no_images(metric, image):
    with pytest.raises(UsageError, match="of no images"):
        metric.compute()
    metric.update(image[:0], image[:0])
    with pytest.raises(UsageError, match="of no images"):
        metric.compute()


@pytest.mark.parametrize("name", NAMES)
def test_a_crop_that_leaves_nothing(build, options_of, image, name):
    metric = build(name, crop=97, **options_of.get(name, {}))
    with pytest.raises(UsageError, match="crop=97 leaves nothing of images of 194x193 pixels"):
        metric.update(image, image)


@pytest.mark.parametrize("name", ["psnr", "ssim", "lpips"])
def test_ground_truth_that_is_not_finite(build, options_of, image, name):
    metric = build(name, **options_of.get(name, {}))
    with pytest.raises(UsageError, match="ground truth hold 1 pixels"):
        metric.update(image, torch.where(torch.arange(193) + torch.arange(194)[:, None] == 0, torch.nan, image))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("psnr", {"convention": "skimage"}, "expected one of 'standard', 'spikezoo', 'spikecv'"),
        ("ssim", {"window": "box"}, "expected one of 'auto', 'gaussian', 'uniform'"),
        ("niqe", {"display": "none"}, "expected one of 'clip', 'minmax'"),
        ("piqe", {"crop": -1}, "crop"),
    ],
)
def test_options_out_of_range(build, name, options, message):
    with pytest.raises(ConfigError, match=message):
        build(name, **options)


def test_an_error_leaves_the_score_as_it_was(metric, image):
    guess = (image + 0.1).clamp(0, 1)
    metric.update(guess, image)
    before = metric.compute()
    with pytest.raises(UsageError):
        metric.update(image.log() * torch.nan, image)
    assert torch.equal(metric.compute(), before)


def test_types_and_gradients_do_not_matter(metric, image):
    guess = (image**1.3).double().requires_grad_()
    metric.update(guess, image.half())
    assert metric.compute().dtype == torch.float64
    assert not metric.compute().requires_grad


def test_the_same_twice(metric, image):
    guess = (image**1.3).clamp(0, 1)
    scores = []
    for _ in range(2):
        metric.reset()
        metric.update(guess, image)
        scores.append(metric.compute())
    assert torch.equal(*scores)


@pytest.mark.gpu
def test_the_same_on_a_gpu(metric, image):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    guess = (image**1.3).clamp(0, 1)
    metric.update(guess, image)
    expected = float(metric.compute())
    metric.reset()
    metric.update(guess.cuda(), image.cuda())
    assert float(metric.compute()) == pytest.approx(expected, rel=1e-7)
