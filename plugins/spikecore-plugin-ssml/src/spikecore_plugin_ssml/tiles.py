"""Large pictures in pieces, exactly: variant A sees at most 36 pixels to each side, in steps of 4."""

from __future__ import annotations

from collections.abc import Callable

import torch

from spikecore import UsageError

MARGIN = 40
STEP = 4


def in_exact_tiles(
    network: Callable[[torch.Tensor], torch.Tensor], spikes: torch.Tensor, side: int, margin: int = MARGIN
) -> torch.Tensor:
    """What `network(spikes)` gives, computed in tiles of `side` pixels that each see `margin` pixels more.

    Equal to the whole picture for a `BlindUNet` that is not blind (variant A's NBSN): tiles and margins begin at
    multiples of 4, so that the pools of a tile fall on the same pixels as those of the whole. Not for networks with
    global pools or turns (B, C, D), whose result depends on the whole picture.

    Args:
        network: (N, C, h, w) to (N, K, h, w).
        spikes: (N, C, H, W).
        side: Rows and columns of a tile, a multiple of 4.
        margin: Rows and columns around it, a multiple of 4; 40 is exact.

    Raises:
        UsageError: If `side` or `margin` is no multiple of 4.
    """
    if side <= 0 or side % STEP or margin < 0 or margin % STEP:
        raise UsageError(f"tiles of {side} pixels with a margin of {margin}: both must be multiples of {STEP}")
    height, width = spikes.shape[-2:]
    rows = []
    for top in range(0, height, side):
        row = [_tile(network, spikes, (top, left), side, margin) for left in range(0, width, side)]
        rows.append(torch.cat(row, dim=-1))
    return torch.cat(rows, dim=-2)


def _tile(
    network: Callable[[torch.Tensor], torch.Tensor], spikes: torch.Tensor, at: tuple[int, int], side: int, margin: int
) -> torch.Tensor:
    top, left = (max(first - margin, 0) for first in at)
    seen = network(spikes[..., top : at[0] + side + margin, left : at[1] + side + margin])
    return seen[..., at[0] - top : at[0] - top + side, at[1] - left : at[1] - left + side]
