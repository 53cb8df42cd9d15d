"""Pictures of events: where it got brighter, and where darker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import UsageError
from spikecore.plugin.sink import Picture

RISES = (0.0, 0.447, 0.698)
"""Blue: it got brighter. Blue and vermilion are told apart by eyes that do not see red or green as well."""
FALLS = (0.835, 0.369, 0.0)
"""Vermilion: it got darker."""


def event_picture(frames: NDArray[np.generic], top: float | None = None) -> Picture:
    """A picture (H, W, 3) in [0, 1] of counted events: rises blue, falls vermilion, both dark, neither white.

    Args:
        frames: Counts (2, H, W), rises and falls, as of `EventStream.frames`.
        top: Count that has the full colour; by default 1 % of the pixels with events have more. Fewer events are
            paler by the logarithm of their number, so that one is seen beside many.

    Raises:
        UsageError: If these are no such counts, or `top` is not positive.
    """
    counts = np.asarray(frames, np.float32)
    if counts.ndim != 3 or len(counts) != 2:
        raise UsageError(f"event frames are (2, H, W), rises and falls; found an array of shape {counts.shape}")
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise UsageError("event frames are counts, 0 or more; found others")
    if top is None:
        top = float(np.percentile(counts[counts > 0], 99)) if counts.any() else 1.0
    if top <= 0:
        raise UsageError(f"top={top:g}: the count of full colour must be more than 0")
    strength = np.minimum(np.log1p(counts) / np.log1p(top), 1)
    taken = 1 - np.array([RISES, FALLS], np.float32)  # the light that each colour takes from white
    return np.asarray(np.clip(1 - np.einsum("chw,ck->hwk", strength, taken), 0, 1), np.float32)
