"""spikling's window method: the mean of the spike frames around the instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spikecore import UsageError, Window
from spikecore_plugin_spikling.intensity import filtered, spikes_of, truncated

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_spikling.config import WindowConfig


class WindowMean:
    """rate = spikes in the window / frames of the window, in spikes per frame.

    The original counts from the first frame of the window: its `start` is our instant - window // 2.
    """

    def __init__(self, config: WindowConfig) -> None:
        self.config = config
        self.window = Window.centred(config.window, config.clip)

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """Float32 (N, 1, H, W) in [0, 1]: the mean of each stream of a batch that was cut to `window`."""
        spikes = spikes_of(batch)
        lengths = [len(stream) for stream in spikes.streams]
        for stream, length in zip(spikes.streams, lengths, strict=True):
            if length != self.config.window and not (self.config.clip and length < self.config.window):
                raise UsageError(f"{stream.name}: got {length} frames for a window of {self.config.window}")
        counts = spikes.counts()
        frames = torch.tensor(lengths, dtype=torch.float64, device=counts.device).reshape(-1, 1, 1, 1)
        rate = counts.double() / frames
        return filtered(truncated(rate) if self.config.compat else rate, self.config.filters)
