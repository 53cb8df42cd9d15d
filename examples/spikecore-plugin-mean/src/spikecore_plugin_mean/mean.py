"""The mean of a window of spike frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikecore import Batch, Window

if TYPE_CHECKING:
    import torch

    from spikecore_plugin_mean.config import MeanConfig


class Mean:
    """image = spikes in the window / frames of the window, in spikes per frame."""

    def __init__(self, config: MeanConfig) -> None:
        self.window = Window.centred(config.window)

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """Float32 (N, 1, H, W) in [0, 1]."""
        assert batch.spikes is not None  # the component consumes spikes
        return batch.spikes.tensor().mean(1, keepdim=True)
