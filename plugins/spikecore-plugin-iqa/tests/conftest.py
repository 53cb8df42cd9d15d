from __future__ import annotations

import numpy as np
import pytest
import spikecore_plugin_iqa
import torch

from spikecore import PluginHost


@pytest.fixture(scope="session")
def build():
    """build("ssim", window="uniform"): a metric from its name and options, as written in an experiment."""
    host = PluginHost()
    host.register(spikecore_plugin_iqa, "iqa")
    return lambda name, **options: host.build(host.find(f"iqa/{name}", "metric"), options)


@pytest.fixture(scope="session")
def score(build):
    """score("psnr", image, truth, crop=2): one number; pictures are tensors or arrays, (H, W) or (N, C, H, W)."""

    def score(name, image, truth=None, **options):
        metric = build(name, **options)
        image = batch(image)
        metric.update(image, image if truth is None else batch(truth))
        return float(metric.compute())

    return score


def batch(picture):
    values = torch.as_tensor(picture, dtype=torch.float32)
    return values[None, None] if values.ndim == 2 else values


@pytest.fixture(scope="session")
def pair():
    """The photograph `camera` of scikit-image, 512x512, with noise of sigma 20 and without; 8-bit."""
    pytest.importorskip("skimage", reason="scikit-image is not installed: it has the test picture")
    from skimage import data

    clean = data.camera()
    noise = np.random.default_rng(0).normal(0, 20, clean.shape)
    return np.clip(np.round(clean + noise), 0, 255).astype(np.uint8), clean


@pytest.fixture(scope="session")
def picture():
    """picture(height, width, seed): smooth shapes with fine texture, float32 (height, width) in [0, 1]."""

    def make(height, width, seed=0):
        random = np.random.default_rng(seed)
        y, x = np.mgrid[:height, :width] / 16
        waves = sum(np.sin(a * x + b * y + c) for a, b, c in random.uniform(-3, 3, (6, 3)))
        return (0.5 + 0.06 * waves + 0.04 * random.standard_normal((height, width))).clip(0, 1).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def uhsr(shared):
    """Three reconstructions of one real recording: LRN ("out"), "tfi" and "tfp", 224x224, unscaled."""
    with np.load(shared / "golden/spikeclip/uhsr_lrn.npz") as arrays:
        return {name: arrays[name][0, 0] for name in ("out", "tfi", "tfp")}


@pytest.fixture(scope="session")
def live_svm(shared):
    return str(shared / "data/iqa/brisque_svm_weights.pth")


def hashed(shape, seed):
    """Numbers in [0, 1) that look random and are the same everywhere."""
    index = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(seed * 1_000_003)
    index = index * np.uint64(2654435761) % np.uint64(2**32)
    index = (index ^ (index >> np.uint64(15))) * np.uint64(2246822519) % np.uint64(2**32)
    return torch.from_numpy(((index ^ (index >> np.uint64(13))) / 2**32).reshape(shape).astype(np.float32))


@pytest.fixture(scope="session")
def hash_picture():
    return hashed


@pytest.fixture(scope="session")
def lpips_files(tmp_path_factory):
    """Options of LPIPS: files of the right shapes with made-up values."""
    folder = tmp_path_factory.mktemp("lpips")
    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    backbone = {}
    for layer, shape in shapes.items():
        scale = 2 * (6 / np.prod(shape[1:])) ** 0.5
        backbone[f"features.{layer}.weight"] = (hashed(shape, layer) - 0.5) * scale
        backbone[f"features.{layer}.bias"] = (hashed(shape[:1], layer + 20) - 0.5) * 0.2
    heads = {
        f"lin{number}.model.1.weight": hashed((1, shape[0], 1, 1), number + 40)
        for number, shape in enumerate(shapes.values())
    }
    torch.save(backbone, folder / "alexnet.pth")
    torch.save(heads, folder / "alex.pth")
    return {"weights": str(folder / "alexnet.pth"), "heads": str(folder / "alex.pth")}


@pytest.fixture(scope="session")
def svm_parts():
    """Coefficients (774,) and vectors (774, 36) of a made-up SVM."""
    random = torch.Generator().manual_seed(0)
    coefficients = 200 * torch.rand(774, generator=random) - 100
    return coefficients, 2 * torch.rand(774, 36, generator=random) - 1


@pytest.fixture(scope="session")
def svm_file(svm_parts, tmp_path_factory):
    path = tmp_path_factory.mktemp("svm") / "svm.pth"
    torch.save(svm_parts, path)
    return str(path)


@pytest.fixture(scope="session")
def options_of(lpips_files, svm_file):
    """Options without which a metric cannot be built here."""
    return {"lpips": lpips_files, "brisque": {"model": svm_file}}
