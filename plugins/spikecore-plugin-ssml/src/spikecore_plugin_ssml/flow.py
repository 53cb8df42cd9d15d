"""Motion measured from spikes, and how well a picture agrees with it."""

from __future__ import annotations

import torch
from torch.nn import functional

from spikecore import UsageError

_DAMPING = 1e-4  # added to the squared gradients of rates, so that flat places have no flow and no confidence


def flow_residual(image: torch.Tensor, spikes: torch.Tensor, reach: int, radius: int) -> torch.Tensor:
    """Mean |∇image · (u, v) + rate after - rate before| (brightness constancy) where the flow (u, v) is known.

    Args:
        image: (N, 1, H, W), light at the middle of `spikes`.
        spikes: (N, T, H, W) in {0, 1}.
        reach: Frames on each side of the middle whose means are the rates before and after.
        radius: Pixels around each that share one flow.

    Raises:
        UsageError: If there are fewer than 2·reach + 1 frames.
    """
    middle = spikes.shape[1] // 2
    if middle < reach or middle + reach >= spikes.shape[1]:
        raise UsageError(f"motion over {reach} frames on each side needs {2 * reach + 1} frames, got {spikes.shape[1]}")
    before = blurred(spikes[:, middle - reach : middle].float().mean(1, keepdim=True), 1)
    after = blurred(spikes[:, middle + 1 : middle + 1 + reach].float().mean(1, keepdim=True), 1)
    flow, confidence = measured_flow(before, after, radius)
    along_x, along_y = gradient(blurred(image, 1))
    residual = along_x * flow[:, :1] + along_y * flow[:, 1:] + after - before
    return (residual.abs() * confidence).mean()


def measured_flow(before: torch.Tensor, after: torch.Tensor, radius: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Flow by least squares over a square around each pixel (Lucas and Kanade, IJCAI 1981).

    Solves [Σxx Σxy; Σxy Σyy] (u, v) = -(Σxt, Σyt), where Σab sums products of the gradients of the mean picture and
    the difference of the two.

    Returns:
        Flow (N, 2, H, W), x then y, in pixels from `before` to `after`; confidence (N, 1, H, W) in 0..1 from the
        smaller eigenvalue of the matrix.
    """
    x, y = gradient((before + after) / 2)
    t = after - before
    xx, xy, yy, xt, yt = (blurred(product, radius) for product in (x * x, x * y, y * y, x * t, y * t))
    xx, yy = xx + _DAMPING, yy + _DAMPING
    determinant = xx * yy - xy * xy
    flow = torch.cat([xy * yt - yy * xt, xy * xt - xx * yt], dim=1) / determinant
    smaller = (xx + yy) / 2 - (((xx - yy) / 2).square() + xy.square()).sqrt() - _DAMPING
    smaller = smaller.clamp(min=0)
    return flow, smaller / (smaller + _DAMPING)


def gradient(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Central differences along x and y, borders replicated: two of the shape of `image`."""
    padded = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    along_x = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    along_y = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return along_x, along_y


def blurred(image: torch.Tensor, radius: int) -> torch.Tensor:
    """Mean over (2·radius + 1)² pixels, of those inside the picture at its borders."""
    return functional.avg_pool2d(image, 2 * radius + 1, stride=1, padding=radius, count_include_pad=False)
