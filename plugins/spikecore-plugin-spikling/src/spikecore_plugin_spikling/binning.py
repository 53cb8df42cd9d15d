"""Joining spike frames where there is little light: what 32 frames do not hold, 64 to 192 do."""

from __future__ import annotations

import torch
from torch.nn.functional import avg_pool2d

from spikecore_plugin_spikling.network import FRAMES

COUNTS = (1, 2, 3, 4, 6)
"""Frames that may be joined into one."""

BLOCK = 4
"""Side of the squares of pixels whose spikes are compared."""

STILL = 7.0
"""How many times more than by chance the counts before and after an instant may differ."""

FULL = 0.8
"""Spikes per joined frame that blocks may have; above, some spikes fall together."""


def joined(spikes: torch.Tensor, at: int, count: int) -> torch.Tensor:
    """32 frames (32, H, W) around instant `at` of (T, H, W), each 1 where any of `count` frames is.

    >>> joined(torch.eye(64, dtype=torch.uint8)[..., None], 32, 2)[0, :3, 0].tolist()
    [1, 1, 0]
    """
    half = FRAMES // 2 * count
    return spikes[at - half : at + half].reshape(FRAMES, count, *spikes.shape[1:]).amax(1)


def fitting(spikes: torch.Tensor, at: int) -> int:
    """How many frames of (T, H, W), uint8, are best joined around instant `at`: one of COUNTS.

    As many as are there, as stay below FULL in all but a thousandth of the blocks, and as hold no more motion than
    STILL: the mean square of the difference between the spikes of a block in the frames before the instant and in those
    from it on, over what it is where light is constant. A pixel that integrates light gives in any stretch of time
    floor(m) or floor(m) + 1 spikes, m on average; the variance of that is m (1 - m) for m below 1, at most 1/4.
    """
    if min(spikes.shape[1:]) < BLOCK:
        return 1
    before = after = torch.zeros(1, 1, *spikes.shape[1:], dtype=torch.int16, device=spikes.device)
    best, reached = 1, 0
    for count in COUNTS:
        half = FRAMES // 2 * count
        if half > min(at, spikes.shape[0] - at):
            break
        before = before + spikes[at - half : at - reached].sum(0, dtype=torch.int16)
        after = after + spikes[at + reached : at + half].sum(0, dtype=torch.int16)
        reached = half
        if not _still(before, after, FULL / count * half):
            break
        best = count
    return best


def _still(before: torch.Tensor, after: torch.Tensor, most: float) -> bool:
    first, last = (avg_pool2d(spikes.float(), BLOCK) for spikes in (before, after))
    mean = (first + last) / 2
    if float(mean.flatten().quantile(0.999)) > most:
        return False
    chance = torch.where(mean < 0.5, mean * (1 - mean), 0.25).mean() * 2 / BLOCK**2
    return bool((first - last).square().mean() <= STILL * chance)
