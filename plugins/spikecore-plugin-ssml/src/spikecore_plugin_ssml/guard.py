"""Spikes brighter than what weights were trained on: keep every k-th spike of each pixel, multiply the result by k.

For an ideal integrate-and-fire pixel that is the same as a firing threshold k times as high.
"""

from __future__ import annotations

import torch
from torch.nn import functional

BLUR = 9
QUANTILE = 0.99


def local_rate(spikes: torch.Tensor) -> torch.Tensor:
    """The 99th percentile over the picture of the rate blurred over 9×9 pixels: (N,) from (N, T, H, W)."""
    rate = spikes.float().mean(1, keepdim=True)
    size = [min(BLUR, side - (side + 1) % 2) for side in rate.shape[-2:]]
    blurred = functional.avg_pool2d(rate, size, stride=1, padding=[side // 2 for side in size], count_include_pad=False)
    return torch.stack([torch.quantile(picture.flatten()[:: _step(picture)], QUANTILE) for picture in blurred])


def _step(picture: torch.Tensor) -> int:
    """`torch.quantile` takes 16 million values at most; larger pictures are sampled."""
    return 1 + picture.numel() // 2**24


def factors(spikes: torch.Tensor, limit: float) -> torch.Tensor:
    """Each item's k = ceil(local rate / limit), at least 1: int64 (N,)."""
    return (local_rate(spikes) / limit - 1e-6).ceil().clamp(min=1).long()


def thinned(spikes: torch.Tensor, factor: int) -> torch.Tensor:
    """(T, H, W) with only every `factor`-th spike of each pixel.

    Which one comes first differs from pixel to pixel (multiples of the golden ratio), so that the mean rate of a
    neighbourhood stays right although a window begins in the middle of the count.
    """
    if factor == 1:
        return spikes
    height, width = spikes.shape[-2:]
    number = torch.arange(height * width, device=spikes.device, dtype=torch.float64)
    phase = ((number * (5**0.5 - 1) / 2) % 1 * factor).long().view(height, width)
    order = spikes.cumsum(0).long() + phase
    return spikes * (order % factor == 0)
