"""From a batch to the 41 frames that the networks take, also at the ends of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from spikecore import UsageError, Window
from spikecore_plugin_ssml.config import FRAMES, Ends

if TYPE_CHECKING:
    from spikecore import Batch

SMALLEST = 4
"""Rows and columns that two halvings need."""


def window_for(ends: Ends) -> Window:
    """41 frames around the instant; where ends are mirrored, as many of them as there are."""
    return Window.centred(FRAMES, clip=ends is Ends.MIRROR)


def spikes_of(batch: Batch, ends: Ends = Ends.REFUSE) -> torch.Tensor:
    """The spikes of a batch, float32 (N, 41, H, W), the instant at frame 20.

    Frames lie innermost in memory (channels last), which convolutions on a CPU like best.

    Raises:
        UsageError: If there are none, they were not cut to the window, or the picture is smaller than 4×4.
    """
    if batch.spikes is None:
        raise UsageError(f"samples {', '.join(batch.keys)} carry no spikes; this method needs a spike recording")
    _, length, height, width = batch.spikes.shape
    if min(height, width) < SMALLEST:
        raise UsageError(f"pictures of {height}x{width} are too small; this network needs {SMALLEST}x{SMALLEST} pixels")
    if length == FRAMES and set(batch.at) == {FRAMES // 2}:
        return batch.spikes.tensor().contiguous(memory_format=torch.channels_last)
    if ends is Ends.REFUSE or length > FRAMES:
        found = f"{length} with the instant at {', '.join(map(str, sorted(set(batch.at))))}"
        raise UsageError(
            f"this method takes {FRAMES} spike frames with the instant at {FRAMES // 2}, got {found}\n"
            '  try: cut samples to its window, or ends = "mirror" near the ends of a recording'
        )
    frames = batch.spikes.tensor()
    whole = torch.stack([item[mirrored(int(at), length)] for item, at in zip(frames, batch.at, strict=True)])
    return whole.contiguous(memory_format=torch.channels_last)


def mirrored(at: int, length: int) -> list[int]:
    """Frames at-20 … at+20 of a recording of `length` frames, mirrored at its ends (which are not repeated).

    >>> mirrored(1, 100)[18:23]
    [1, 0, 1, 2, 3]
    """
    wanted = np.arange(at - FRAMES // 2, at + FRAMES // 2 + 1)
    if length == 1:
        return [0] * FRAMES
    period = 2 * (length - 1)
    folded = np.abs(wanted) % period
    return [int(index) for index in np.minimum(folded, period - folded)]
