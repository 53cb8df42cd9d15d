"""Statistics of natural scenes: locally normalised pictures, and generalised Gaussians fitted to them by moments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch

from spikecore_plugin_iqa.filters import blur, gaussian

WINDOW, SIGMA = 7, 7 / 6


class Skewed(NamedTuple):
    """An asymmetric generalised Gaussian: shape, and root mean squares left and right of zero; each (B,)."""

    shape: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor


def normalised(padded: torch.Tensor) -> torch.Tensor:
    """Mean-subtracted, contrast-normalised pictures: (I - μ) / (σ + 1), for I in 0..255 (Mittal 2012, eq. 1).

    μ and σ are local mean and deviation in a 7x7 Gaussian window of sigma 7/6.

    Args:
        padded: Pictures (N, 1, H + 6, W + 6) continued by 3 pixels on every side.
    """
    taps = gaussian(WINDOW, SIGMA, padded)
    mean = blur(padded, taps)
    deviation = (blur(padded.square(), taps) - mean.square()).abs().sqrt()
    return (padded[..., 3:-3, 3:-3] - mean) / (deviation + 1)


def products(maps: torch.Tensor, shifts: Iterable[tuple[int, int]]) -> list[torch.Tensor]:
    """Each map (B, H, W) times itself shifted round by (rows, columns), flattened to (B, H·W)."""
    return [(maps * maps.roll(shift, (1, 2))).flatten(1) for shift in shifts]


def fit_skewed(values: torch.Tensor) -> Skewed:
    """The asymmetric generalised Gaussian with the moments of each row (Lasmar et al., ICIP 2009).

    With γ = left/right and r = (E|x|)² / E x², ρ(shape) = r (γ³ + 1)(γ + 1) / (γ² + 1)². Rows without values on both
    sides of zero give NaN.
    """
    squares = values.square()
    below, above = values < 0, values > 0
    left = ((squares * below).sum(1) / below.sum(1)).sqrt()
    right = ((squares * above).sum(1) / above.sum(1)).sqrt()
    skew = left / right
    ratio = values.abs().mean(1).square() / squares.mean(1)
    ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1).square()
    return Skewed(_shape_with(ratio), left, right)


def fit_symmetric(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Shape and variance (B,) of the generalised Gaussian with the moments of each row; NaN for rows of zeros."""
    variance = values.square().mean(1)
    return _shape_with(values.abs().mean(1).square() / variance), variance


def gamma_ratio(shape: torch.Tensor, above: float, below: float) -> torch.Tensor:
    """Γ(above / shape) / Γ(below / shape)."""
    return torch.exp(torch.lgamma(above / shape) - torch.lgamma(below / shape))


def _shape_with(ratio: torch.Tensor) -> torch.Tensor:
    """The shape in 0.200, 0.201, …, 10.000 whose ρ = Γ(2/s)² / (Γ(1/s) Γ(3/s)), which rises with s, is nearest."""
    shapes = torch.arange(200, 10_001, dtype=ratio.dtype, device=ratio.device) / 1000
    rho = gamma_ratio(shapes, 2, 1) * gamma_ratio(shapes, 2, 3)
    after = torch.searchsorted(rho, ratio).clamp(1, len(rho) - 1)
    nearest = torch.where(ratio - rho[after - 1] <= rho[after] - ratio, after - 1, after)
    return torch.where(ratio.isnan(), ratio, shapes[nearest])
