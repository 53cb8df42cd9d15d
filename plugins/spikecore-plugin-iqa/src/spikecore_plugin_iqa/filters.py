"""Small filters of pictures (N, C, H, W), in float64 and without randomness."""

from __future__ import annotations

import torch
from torch.nn import functional

_TAPS = (-3, -2, -1, 0, 1, 2, 3, 4)


def gaussian(size: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    """A Gaussian of `size` taps with sum 1."""
    x = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weight = torch.exp(-x.square() / (2 * sigma**2))
    return weight / weight.sum()


def box(size: int, like: torch.Tensor) -> torch.Tensor:
    """A moving average of `size` taps."""
    return torch.full((size,), 1 / size, dtype=like.dtype, device=like.device)


def blur(images: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    """Filter rows and columns with the same taps, interior only: size shrinks by len(taps) - 1."""
    planes = images.flatten(0, 1)[:, None]
    filtered = functional.conv2d(functional.conv2d(planes, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))
    return filtered.view(*images.shape[:2], *filtered.shape[-2:])


def halve(images: torch.Tensor) -> torch.Tensor:
    """Half the size, rounded up, by the antialiased bicubic filter of MATLAB's `imresize`.

    Output pixel i lies at 2 i + 1/2 of the input; its eight taps are the cubic kernel (a = -1/2) stretched by two.
    Pictures go on mirrored beyond their border, the border pixel repeated; they need 4 pixels a side.
    """
    at = (torch.tensor(_TAPS, dtype=images.dtype, device=images.device) - 0.5).abs() / 2
    near = 1.5 * at**3 - 2.5 * at**2 + 1
    far = -0.5 * at**3 + 2.5 * at**2 - 4 * at + 2
    taps = torch.where(at <= 1, near, torch.where(at < 2, far, 0.0))
    return _halve_rows(_halve_rows(images, taps / taps.sum()).mT, taps / taps.sum()).mT


def _halve_rows(images: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    planes = mirrored(images, before=3, after=4).flatten(0, 1)[:, None]
    halved = functional.conv2d(planes, taps.view(1, 1, -1, 1), stride=(2, 1))
    return halved.view(*images.shape[:2], *halved.shape[-2:])


def mirrored(images: torch.Tensor, before: int, after: int) -> torch.Tensor:
    """Rows continued above and below as in a mirror, the border row repeated."""
    rows = images.shape[-2]
    above, below = images[..., :before, :].flip(-2), images[..., rows - after :, :].flip(-2)
    return torch.cat([above, images, below], -2)
