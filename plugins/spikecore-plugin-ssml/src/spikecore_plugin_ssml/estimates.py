"""What a pixel's own spikes say of its light at the middle frame, and the labels of variant E. All (N, 1, H, W)."""

from __future__ import annotations

import attrs
import torch

FAR = 1000.0
"""A time no spike has; stands for "none"."""

LONG = 8
"""Frames; an interval longer than this would smear what moves, and a mean of nine frames is taken in its place."""


@attrs.frozen(eq=False)
class Estimate:
    """Mean of the whole intervals near the middle frame.

    Args:
        rate: Spikes per frame; 0 where there is no whole interval.
        known: Where there is one.
        span: Share of the frames looked at that the intervals cover.
    """

    rate: torch.Tensor
    known: torch.Tensor
    span: torch.Tensor


def nearest(spikes: torch.Tensor, at: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Time of the last spike in frames 0..at and of the first after; -FAR and FAR where there is none."""
    times = torch.arange(spikes.shape[1], device=spikes.device, dtype=spikes.dtype).view(1, -1, 1, 1)
    fired = spikes > 0
    last = times[:, : at + 1].where(fired[:, : at + 1], -FAR).amax(1, keepdim=True)
    first = times[:, at + 1 :].where(fired[:, at + 1 :], FAR).amin(1, keepdim=True)
    return last, first


def interval(spikes: torch.Tensor) -> torch.Tensor:
    """Reciprocal of the interval over the middle frame; the mean of all frames where it is not whole."""
    last, first = nearest(spikes, spikes.shape[1] // 2)
    gap = first - last
    return torch.where(gap < spikes.shape[1], 1 / gap, spikes.mean(1, keepdim=True))


def around(spikes: torch.Tensor, reach: int) -> torch.Tensor:
    """Mean of the frames up to `reach` before and after the middle one."""
    middle = spikes.shape[1] // 2
    return spikes[:, middle - reach : middle + reach + 1].mean(1, keepdim=True)


def intervals(spikes: torch.Tensor, reach: int) -> Estimate:
    """Number of whole intervals up to `reach` frames from the middle one / their length: (n - 1) / (t_n - t_1)."""
    middle = spikes.shape[1] // 2
    near = spikes[:, middle - reach : middle + reach + 1]
    times = torch.arange(near.shape[1], device=near.device, dtype=near.dtype).view(1, -1, 1, 1)
    fired = near > 0
    first = times.where(fired, FAR).amin(1, keepdim=True)
    last = times.where(fired, -FAR).amax(1, keepdim=True)
    known = last > first
    length = torch.where(known, last - first, 1.0)
    rate = torch.where(known, (near.sum(1, keepdim=True) - 1) / length, 0.0)
    return Estimate(rate, known, torch.where(known, length / (2 * reach), 0.0))


def curve(spikes: torch.Tensor) -> Estimate:
    """Slope, at the middle frame, of the charge that a pixel collects: it follows light that changes between spikes.

    That of the parabola of least squares through the charge 0, 1, 2, 3 at the two last spikes before the middle frame
    and the two first from it on. The idea is that of the integral curve of github.com/lshpku/spikling.
    """
    middle = spikes.shape[1] // 2
    before, after = _two_last(spikes[:, :middle]), _two_last(spikes[:, middle:].flip(1))
    known = (before >= 0).all(1, keepdim=True) & (after >= 0).all(1, keepdim=True)
    x = torch.cat([before.flip(1) - middle, spikes.shape[1] - 1 - middle - after], 1).double()
    charge = torch.arange(4.0, dtype=x.dtype, device=x.device).view(1, 4, 1, 1)
    one, two, three, four = ((x**power).sum(1, keepdim=True) for power in range(1, 5))
    flat, tilted, bent = ((charge * x**power).sum(1, keepdim=True) for power in range(3))
    whole = 4 * (two * four - three**2) - one * (one * four - two * three) + two * (one * three - two**2)
    slope = 4 * (tilted * four - bent * three) - flat * (one * four - two * three) + two * (one * bent - two * tilted)
    rate = (slope / whole.where(known, 1.0)).clamp(0, 1).to(spikes.dtype).where(known, 0.0)
    span = (x[:, 3:] - x[:, :1]).to(spikes.dtype) / (spikes.shape[1] - 1)
    return Estimate(rate, known, span.where(known, 0.0))


def mixed_label(spikes: torch.Tensor) -> torch.Tensor:
    """Label of the blind network: little noise where it is bright, little smear where it is dark.

    Mean over five frames of the reciprocal of the interval over each. For constant light and any statistics of
    intervals it is unbiased, as long intervals cover proportionally more frames. Where the interval over the middle
    frame is longer than LONG, the mean of nine frames.
    """
    middle = spikes.shape[1] // 2
    rates = []
    for at in range(middle - 2, middle + 3):
        last, first = nearest(spikes, at)
        rates.append(1 / (first - last))
        if at == middle:
            brief = first - last <= LONG
    return torch.where(brief, torch.stack(rates).mean(0), around(spikes, 4))


def _two_last(spikes: torch.Tensor) -> torch.Tensor:
    """Frames of the last spike and of the one before it, (N, 2, H, W); -FAR where there is none."""
    times = torch.arange(spikes.shape[1], device=spikes.device, dtype=spikes.dtype).view(1, -1, 1, 1)
    when = times.where(spikes > 0, -FAR)
    last = when.amax(1, keepdim=True)
    return torch.cat([last, when.where(times < last, -FAR).amax(1, keepdim=True)], 1)
