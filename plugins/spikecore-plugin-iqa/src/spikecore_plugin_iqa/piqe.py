"""PIQE: distortion of the blocks that catch the eye (Venkatanath et al., NCC 2015)."""

from __future__ import annotations

import torch
from torch.nn import functional

from spikecore_plugin_iqa.config import PiqeConfig
from spikecore_plugin_iqa.filters import mirrored
from spikecore_plugin_iqa.metric import NoReference
from spikecore_plugin_iqa.pictures import grey
from spikecore_plugin_iqa.scene_statistics import normalised

BLOCK, SEGMENT = 16, 6
ACTIVE, IMPAIRED = 0.1, 0.1
CENTRE = (7, 8)
SURROUND = (0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15)


class Piqe(NoReference):
    """Mean over images of the share of distortion in active blocks: 0 (best) to 100, lower is better; flat gives 100.

    Colour becomes grey by 0.299 R + 0.587 G + 0.114 B. Values are round(255 x / max x): exposure makes no difference.
    Sides are continued in a mirror to multiples of 16.

    The paper compares the two middle columns of a block, 7 and 8 counted from 0, with all others. The programs whose
    scores are published (pypiqe, pyiqa) compare them with all but 7 and 9; so does this.
    """

    higher_is_better = False

    def __init__(self, config: PiqeConfig) -> None:
        super().__init__(config.crop, config.display)

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        """See `NoReference.scores`."""
        pictures = _whole_blocks(grey(images))
        brightest = pictures.amax((1, 2, 3), keepdim=True)
        values = (255 * pictures / torch.where(brightest > 0, brightest, 1.0)).round()
        maps = normalised(functional.pad(values, (3, 3, 3, 3), mode="replicate"))
        blocks = maps[:, 0].unfold(1, BLOCK, BLOCK).unfold(2, BLOCK, BLOCK).flatten(1, 2)
        return _score(blocks)


def _whole_blocks(pictures: torch.Tensor) -> torch.Tensor:
    for _ in range(2):
        while missing := -pictures.shape[-2] % BLOCK:  # pictures smaller than what is missing are mirrored repeatedly
            pictures = mirrored(pictures, before=0, after=min(missing, pictures.shape[-2]))
        pictures = pictures.mT
    return pictures


def _score(blocks: torch.Tensor) -> torch.Tensor:
    """100 (Σ D + 1) / (active blocks + 1), D = [impaired] (1 - v) + [noisy] v, v the variance of a block."""
    variance = blocks.flatten(2).var(2)
    active = variance > ACTIVE
    distortion = _impaired(blocks) * (1 - variance) + _noisy(blocks, variance.sqrt()) * variance
    return 100 * ((active * distortion).sum(1) + 1) / (active.sum(1) + 1)


def _impaired(blocks: torch.Tensor) -> torch.Tensor:
    """Blocks with an almost constant segment of six pixels along one of the four edges."""
    edges = torch.stack([blocks[..., 0, :], blocks[..., -1, :], blocks[..., 0], blocks[..., -1]], 2)
    return (edges.unfold(3, SEGMENT, 1).std(4) < IMPAIRED).flatten(2).any(2)


def _noisy(blocks: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
    """Blocks whose deviation σ exceeds 2 |σ - r| / max(σ, r), r the deviation of the centre over the surround's."""
    centre = blocks[..., CENTRE].flatten(2).std(2)
    ratio = (centre / blocks[..., SURROUND].flatten(2).std(2)).nan_to_num(0.0)
    return deviation > 2 * (deviation - ratio).abs() / torch.maximum(deviation, ratio)
