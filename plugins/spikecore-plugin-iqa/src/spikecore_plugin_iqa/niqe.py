"""NIQE: how far a picture is from natural pictures in its statistics (Mittal, Soundararajan, Bovik, IEEE SPL 2013)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import torch
from torch.nn import functional

from spikecore import UsageError, load_tensors
from spikecore_plugin_iqa.config import NiqeConfig
from spikecore_plugin_iqa.filters import halve
from spikecore_plugin_iqa.metric import NoReference
from spikecore_plugin_iqa.pictures import eight_bit, grey
from spikecore_plugin_iqa.scene_statistics import fit_skewed, gamma_ratio, normalised, products

BLOCK = 96
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))


class Niqe(NoReference):
    """Mean over images of the distance to natural pictures: 0 and up, lower is better; about 3 to 5 for photographs.

    Colour becomes grey by 0.299 R + 0.587 G + 0.114 B; values are round(255 x). The picture is cut at the right and
    bottom to whole blocks of 96x96; each block gives 18 features at full and 18 at half size. Blocks without texture
    are left out. Parameters of natural pictures: those that BasicSR distributes.
    """

    higher_is_better = False

    def __init__(self, config: NiqeConfig) -> None:
        super().__init__(config.crop, config.display)
        held = load_tensors(Path(str(files("spikecore_plugin_iqa"))) / "parameters" / "niqe.safetensors")
        self.mean, self.covariance = held["mean"], held["covariance"]

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        """See `NoReference.scores`."""
        height, width = images.shape[-2:]
        whole = images[..., : height - height % BLOCK, : width - width % BLOCK]
        if whole.numel() < 2 * len(images) * images.shape[1] * BLOCK**2:
            raise UsageError(f"NIQE of {height}x{width} pixels; it needs two whole blocks of {BLOCK}x{BLOCK}")
        return images.new_tensor([self._distance(features(one[None])) for one in eight_bit(grey(whole))])

    def _distance(self, found: torch.Tensor) -> float:
        """√((μ1 - μ2)ᵀ ((Σ1 + Σ2) / 2)⁺ (μ1 - μ2)), eq. 10, on the CPU: the matrices are 36x36."""
        found = found[found.isfinite().all(1)].cpu()
        if len(found) < 2:
            raise UsageError(
                f"NIQE needs two blocks of {BLOCK}x{BLOCK} pixels with texture, found {len(found)}: the picture is flat"
            )
        difference = self.mean - found.mean(0)
        inverse = torch.linalg.pinv((self.covariance + found.T.cov()) / 2, hermitian=True)
        return float(difference.dot(inverse.mv(difference)).sqrt())


def features(picture: torch.Tensor) -> torch.Tensor:
    """The 36 features of each block (B, 36) of one picture (1, 1, H, W) of 0..255 whose sides are multiples of 96."""
    fine = _features(picture, BLOCK)
    return torch.cat([fine, _features(halve(picture), BLOCK // 2)], 1)


def _features(picture: torch.Tensor, size: int) -> torch.Tensor:
    """Eighteen per block: shape and mean scale of the values; shape, mean and scales of four products of neighbours."""
    maps = normalised(functional.pad(picture, (3, 3, 3, 3), mode="replicate"))
    blocks = maps[0, 0].unfold(0, size, size).unfold(1, size, size).flatten(0, 1)
    shape, left, right = fit_skewed(blocks.flatten(1))
    scale = gamma_ratio(shape, 1, 3).sqrt()
    columns = [shape, scale * (left + right) / 2]
    for values in products(blocks, SHIFTS):
        shape, left, right = fit_skewed(values)
        scale = gamma_ratio(shape, 1, 3).sqrt()
        columns += [shape, scale * (right - left) * gamma_ratio(shape, 2, 1), scale * left, scale * right]
    return torch.stack(columns, 1)
