"""spikling's interval method: one over the inter-spike interval at the instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spikecore_plugin_spikling.intensity import filtered, reach, spikes_of

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_spikling.config import IntervalConfig


class Interval:
    """rate = 1 / (next - previous), in spikes per frame.

    `next` is the first frame from the instant on with a spike, else the last frame; `previous` the last one before the
    instant, else the first frame, or the one before it at the first frame. So where one spike is missing, the interval
    is the shortest it can be. Pixels with neither are 0, or with `compat` what the rule gives.
    """

    def __init__(self, config: IntervalConfig) -> None:
        self.config = config
        self.window = reach(config.search)

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """Float32 (N, 1, H, W) in [0, 1], of a batch that was cut to `window`."""
        spikes = spikes_of(batch)
        before, after = spikes.neighbours(closed="right")
        places = zip(spikes.streams, spikes.at, strict=True)
        ends = torch.tensor([(max(at, 1), len(stream) - 1 - at) for stream, at in places], dtype=torch.int32)
        first, last = ends.to(before.device).T.reshape(2, -1, 1, 1, 1)
        interval = torch.where(before < 0, first, before) + torch.where(after < 0, last, after)
        rate = interval.double().reciprocal()
        if self.config.compat:
            # 255 // interval: in floating point 255 · (1 / 51) could end just below 5
            rate = (255 // interval).double() / 255
        else:
            rate = rate.masked_fill((before < 0) & (after < 0), 0.0)
        return filtered(rate, self.config.filters)
