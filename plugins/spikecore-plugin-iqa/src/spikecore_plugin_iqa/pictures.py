"""Pictures as metrics take them: checked, cropped, brought into [0, 1], float64."""

from __future__ import annotations

import torch

from spikecore import UsageError
from spikecore_plugin_iqa.config import Display, Levels

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601, full range)."""


def checked(images: torch.Tensor, crop: int, what: str = "images") -> torch.Tensor:
    """Pictures (N, C, H, W) as float64, without `crop` pixels on every side.

    Raises:
        UsageError: If they are not four-dimensional floating-point tensors of 1 or 3 channels, hold NaN or infinity, or
            nothing is left of them.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise UsageError(f"{what} of shape {tuple(images.shape)}; expected (N, C, H, W) with 1 or 3 channels")
    if not images.is_floating_point():
        raise UsageError(f"{what} are {images.dtype}; expected floating point in [0, 1]: divide 8-bit pictures by 255")
    height, width = images.shape[-2:]
    if min(height, width) <= 2 * crop:
        raise UsageError(f"crop={crop} leaves nothing of {what} of {height}x{width} pixels; crop less")
    inner = images.detach()[..., crop : height - crop, crop : width - crop].double()
    bad = int((~inner.isfinite()).sum())
    if bad:
        raise UsageError(f"{what} hold {bad} pixels of NaN or infinity; mend what made them before judging it")
    return inner


def checked_pair(preds: torch.Tensor, target: torch.Tensor, crop: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures and their ground truth, both checked and clipped to [0, 1]; the same size or an error."""
    if preds.shape != target.shape:
        raise UsageError(f"images {tuple(preds.shape)} and ground truth {tuple(target.shape)} differ in size")
    truth = target.to(preds.device)
    return checked(preds, crop).clamp(0, 1), checked(truth, crop, "ground truth").clamp(0, 1)


def displayed(images: torch.Tensor, display: Display) -> torch.Tensor:
    """Pictures brought into [0, 1]: clipped, or each stretched from its own minimum to maximum (flat ones to black)."""
    if display is Display.CLIP:
        return images.clamp(0, 1)
    low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
    return (images - low) / torch.where(high > low, high - low, 1.0)


def grey(images: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W): grey pictures as they are, 0.299 R + 0.587 G + 0.114 B of colour ones."""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor(GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)


def eight_bit(images: torch.Tensor, levels: Levels = Levels.ROUND) -> torch.Tensor:
    """Values 0..255, still float64, as `levels` says: rounded (halves to even), truncated, or as they are.

    Truncated are values up to 1e-4 below a whole number to that number: float32 pictures hold k / 255 inexactly.
    """
    values = 255 * images
    if levels is Levels.ROUND:
        return values.round()
    return (values + 1e-4).floor().clamp(max=255) if levels is Levels.TRUNCATE else values
