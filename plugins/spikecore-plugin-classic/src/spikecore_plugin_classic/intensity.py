"""What the three methods share: the spikes of a batch, and the gamma curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from spikecore import UsageError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from spikecore import Batch, SpikeBatch

Rate = TypeVar("Rate", "torch.Tensor", "NDArray[np.float32]")


def spikes_of(batch: Batch) -> SpikeBatch:
    """The spikes of a batch.

    Raises:
        UsageError: If it carries none.
    """
    if batch.spikes is None:
        raise UsageError(f"samples {', '.join(batch.keys)} carry no spikes; this method needs a spike recording")
    return batch.spikes


def with_gamma(rate: Rate, gamma: float) -> Rate:
    """The image rate ** (1 / gamma), the rate in spikes per frame, without gain; gamma above 1 brightens."""
    return rate if gamma == 1.0 else rate ** (1.0 / gamma)
