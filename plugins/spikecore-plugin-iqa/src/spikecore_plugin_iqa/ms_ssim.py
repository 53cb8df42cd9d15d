"""Structural similarity over several scales (Wang, Simoncelli, Bovik, Asilomar 2003)."""

from __future__ import annotations

import torch
from torch.nn import functional

from spikecore import UsageError
from spikecore_plugin_iqa.config import MsSsimConfig, Window
from spikecore_plugin_iqa.metric import FullReference
from spikecore_plugin_iqa.ssim import SIZE, similarity

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the five scales, finest first (section 3.2 of the paper)."""

SMALLEST = (SIZE[Window.GAUSSIAN] - 1) * 2 ** (len(EXPONENTS) - 1) + 1
"""Pixels a side that leave one whole window at the coarsest scale: 161."""


class MsSsim(FullReference):
    """Mean over images and channels of Π cs_j^w_j · ssim_5^w_5; 1 for equal images.

    cs_j is the mean contrast-structure part of SSIM at scale j, ssim_5 the mean SSIM at the coarsest; values in [0, 1],
    data range 1, Gaussian 11x11 window of sigma 1.5. Border rule: at every scale only pixels whose whole window lies in
    the picture count. The next scale is the mean of 2x2 pixels; an odd last row or column is repeated once. A negative
    mean counts as 0.
    """

    higher_is_better = True

    def __init__(self, config: MsSsimConfig) -> None:
        super().__init__(config.crop)

    def scores(self, images: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """See `FullReference.scores`."""
        height, width = images.shape[-2:]
        if min(height, width) < SMALLEST:
            raise UsageError(f"MS-SSIM of {height}x{width} pixels; five scales need {SMALLEST} a side\n  try: iqa/ssim")
        product = images.new_ones(images.shape[:2])
        for scale, exponent in enumerate(EXPONENTS, 1):
            whole, contrast = similarity(images, truth, Window.GAUSSIAN, 1.0)
            part = whole if scale == len(EXPONENTS) else contrast
            product = product * part.mean((2, 3)).clamp(min=0) ** exponent
            images, truth = _coarser(images), _coarser(truth)
        return product.mean(1)


def _coarser(images: torch.Tensor) -> torch.Tensor:
    height, width = images.shape[-2:]
    return functional.avg_pool2d(functional.pad(images, (0, width % 2, 0, height % 2), mode="replicate"), 2)
