"""Peak signal-to-noise ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spikecore.errors import UsageError

if TYPE_CHECKING:
    from spikecore.builtin.config import PsnrConfig


class Psnr:
    """Mean over images of 10·log10(1 / MSE), data range 1, in dB; infinite for equal images.

    Images are (N, C, H, W) in [0, 1]; what lies outside is clipped first.
    """

    higher_is_better = True

    def __init__(self, config: PsnrConfig) -> None:
        self.crop = config.crop
        self.reset()

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        """Take in one batch of images and their ground truth."""
        if preds.shape != target.shape:
            raise UsageError(f"images {tuple(preds.shape)} and ground truth {tuple(target.shape)} differ in size")
        height, width = preds.shape[-2:]
        inner = (..., slice(self.crop, height - self.crop), slice(self.crop, width - self.crop))
        error = (preds[inner].double().clamp(0, 1) - target[inner].double().clamp(0, 1)).square().flatten(1).mean(1)
        self._total += float((-10 * error.log10()).sum())
        self._images += len(preds)

    def compute(self) -> torch.Tensor:
        """The mean over all images since the last reset."""
        if not self._images:
            raise UsageError("PSNR of no images; call update first")
        return torch.tensor(self._total / self._images)

    def reset(self) -> None:
        """Forget everything."""
        self._total, self._images = 0.0, 0
