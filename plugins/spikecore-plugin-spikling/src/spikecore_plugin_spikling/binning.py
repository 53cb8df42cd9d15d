"""Joining spike frames where there is little light: what 32 frames do not hold, 64 to 192 do."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from spikecore_plugin_spikling.network import FRAMES

COUNTS = (1, 2, 4, 6)
"""Frames that may be joined into one."""

BLOCK = 4
"""Side of the squares of pixels whose spikes are compared."""

REGION = 3
"""Side, in blocks, of the regions that are judged."""

STILL = 7.0
"""How many times more than by chance the counts before and after an instant may differ in a region."""

FULL = 0.8
"""Spikes per joined frame that a block may have; above, too many fall together."""

WORTH = 0.25
"""Frames more than one that a count must bring, on average over the picture, to be worth a pass of the network."""


def joined(spikes: torch.Tensor, at: int, count: int) -> torch.Tensor:
    """32 frames (32, H, W) around instant `at` of (T, H, W), each 1 where any of `count` frames is.

    >>> joined(torch.eye(64, dtype=torch.uint8)[..., None], 32, 2)[0, :3, 0].tolist()
    [1, 1, 0]
    """
    half = FRAMES // 2 * count
    return spikes[at - half : at + half].reshape(FRAMES, count, *spikes.shape[1:]).amax(1)


def lost(spikes: torch.Tensor, at: int, count: int) -> torch.Tensor:
    """Spikes of each pixel over those that `joined` leaves of them, at least 1; float32 (H, W)."""
    half = FRAMES // 2 * count
    held = spikes[at - half : at + half].sum(0, dtype=torch.int16)
    return (held / joined(spikes, at, count).sum(0, dtype=torch.int16).clamp(min=1)).clamp(min=1)


def shares(spikes: torch.Tensor, at: int) -> dict[int, torch.Tensor | float]:
    """How many frames of (T, H, W), uint8, to join where: the share, (H, W) or a number, of each count that has any.

    In each region as many as are there, as have no block above FULL, and as hold no more motion than STILL: the mean
    square of the difference between the spikes of a block in the frames before the instant and in those from it on,
    over what it is where light is constant. A pixel that integrates light gives in any stretch of time floor(m) or
    floor(m) + 1 spikes, m on average; the variance of that is m (1 - m) for m below 1, at most 1/4. Shares change from
    one region to the next without steps, and sum to 1; a count that is not WORTH it gives way to the next lower one.
    """
    height, width = spikes.shape[1:]
    if min(height, width) < BLOCK:
        return {1: 1.0}
    before = after = torch.zeros(1, 1, height, width, dtype=torch.int16, device=spikes.device)
    best = torch.ones(1, 1, height // BLOCK, width // BLOCK, device=spikes.device)
    free, reached = best > 0, 0
    for count in COUNTS:
        half = FRAMES // 2 * count
        if half > min(at, spikes.shape[0] - at):
            break
        before = before + spikes[at - half : at - reached].sum(0, dtype=torch.int16)
        after = after + spikes[at + reached : at + half].sum(0, dtype=torch.int16)
        reached = half
        free = free & _still(before, after, FULL / count * half)
        if not free.any():
            break
        best = best.masked_fill(free, count)
    for lower, count in reversed(list(pairwise(COUNTS))):
        those = best == count
        best = best.masked_fill(those, lower) if (count - 1) * those.float().mean() < WORTH else best
    used = [count for count in COUNTS if (best == count).any()]
    if len(used) == 1:
        return {used[0]: 1.0}
    smooth = {count: avg_pool2d((best == count).float(), 3, 1, 1, count_include_pad=False) for count in used}
    return {count: interpolate(each, (height, width), mode="bilinear")[0, 0] for count, each in smooth.items()}


def _still(before: torch.Tensor, after: torch.Tensor, most: float) -> torch.Tensor:
    first, last = (avg_pool2d(spikes.float(), BLOCK) for spikes in (before, after))
    mean = (first + last) / 2
    chance = torch.where(mean < 0.5, mean * (1 - mean), 0.25) * 2 / BLOCK**2
    moved, expected = (_of_region(each) for each in ((first - last).square(), chance))
    full = max_pool2d(mean, REGION, 1, REGION // 2) > most
    return (moved <= STILL * expected) & ~full


def _of_region(blocks: torch.Tensor) -> torch.Tensor:
    return avg_pool2d(blocks, REGION, 1, REGION // 2, count_include_pad=False)
