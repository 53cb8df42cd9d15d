"""What the classical methods share: the spikes of a batch, the original's 8-bit values, and filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from spikecore import UsageError, Window

if TYPE_CHECKING:
    from spikecore import Batch, SpikeBatch
    from spikecore_plugin_spikling.config import Filter


def spikes_of(batch: Batch) -> SpikeBatch:
    """The spikes of a batch.

    Raises:
        UsageError: If it carries none.
    """
    if batch.spikes is None:
        raise UsageError(f"samples {', '.join(batch.keys)} carry no spikes; this method needs a spike recording")
    return batch.spikes


def reach(search: int | None) -> Window:
    """The frames at-search..at+search-1 as far as there are any; all of them without `search`."""
    return Window() if search is None else Window(2 * search, anchor=search, clip=True)


def truncated(rate: torch.Tensor) -> torch.Tensor:
    """Spikes per frame as the original writes them: 255 times, fractions cut off; then / 255 again.

    Args:
        rate: float64, so that 255·rate is what NumPy makes of it.
    """
    return (255 * rate).clamp(0, 255).floor() / 255


def filtered(rate: torch.Tensor, filters: Sequence[Filter]) -> torch.Tensor:
    """Images (N, 1, H, W) as float32 after the filters, which work in main memory."""
    if not filters:
        return rate.float()
    from spikecore_plugin_spikling.filters import FILTERS

    pictures = 255 * rate.detach().double().cpu().numpy()
    for name in filters:
        pictures = np.stack([FILTERS[name](picture)[None] for (picture,) in pictures])
    return torch.from_numpy(pictures / 255).float().to(rate.device)
