"""Models of two convolutions, one for each kind of task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import softplus

from spikecore import Output, Stage, Window

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_tiny.config import ModelConfig

SPAN = 4
"""Spike frames on either side of a camera frame that help to sharpen it."""
ADAM = {"use": "adam", "lr": 5e-3}


def two_convolutions(channels: int, width: int) -> nn.Sequential:
    """(N, channels, H, W) to (N, 1, H, W)."""
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 1, 3, padding=1))


class Image(nn.Module):
    """The image, in spikes per frame, as the mean of 9 spike frames plus what two convolutions of them add."""

    window = Window.centred(9)

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.network = two_convolutions(9, config.width)

    def forward(self, batch: Batch, /) -> Output:
        """See `spikecore.Model`."""
        assert batch.spikes is not None  # the component consumes spikes
        spikes = batch.spikes.tensor()
        return {"image": spikes.mean(1, keepdim=True) + self.network(spikes)}

    def stages(self) -> Sequence[Stage]:
        """See `spikecore.Model`."""
        return [Stage("whole", epochs=10, losses={"train/charbonnier": 1.0}, optimiser=ADAM)]


class Video(nn.Module):
    """Each channel of each camera frame plus what two convolutions of it and the spike rate around it add."""

    window = Window()

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.network = two_convolutions(2, config.width)

    def forward(self, batch: Batch, /) -> Output:
        """See `spikecore.Model`."""
        assert batch.spikes is not None  # the component consumes spikes
        spikes = batch.spikes.tensor()
        times = batch.frame_times[0].round().long().tolist()  # the clips of a batch have equal times
        rates = [spikes[:, max(t - SPAN, 0) : t + SPAN + 1].mean(1, keepdim=True) for t in times]
        pairs = zip(batch.frames.unbind(1), rates, strict=True)
        sharp = [
            torch.cat([self._sharpened(channel, rate) for channel in frame.split(1, 1)], 1) for frame, rate in pairs
        ]
        return {"video": torch.stack(sharp, 1)}

    def _sharpened(self, channel: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
        sharpened: torch.Tensor = channel + self.network(torch.cat([channel, rate], 1))
        return sharpened

    def stages(self) -> Sequence[Stage]:
        """See `spikecore.Model`."""
        return [Stage("whole", epochs=10, losses={"train/video": 1.0}, optimiser=ADAM)]


class Depth(nn.Module):
    """Depth in metres from the logarithm of event counts: rises and falls of one camera, of all its events."""

    window = Window()

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.network = two_convolutions(2, config.width)

    def forward(self, batch: Batch, /) -> Output:
        """See `spikecore.Model`."""
        (camera,) = batch.events
        last = max((int(stream.t[-1]) for stream in camera.streams if len(stream)), default=0)
        counts = camera.frames([0, last + 1])[:, 0]
        return {"depth": softplus(self.network(counts.log1p()))}

    def stages(self) -> Sequence[Stage]:
        """See `spikecore.Model`."""
        return [Stage("whole", epochs=10, losses={"train/depth": 1.0}, optimiser=ADAM)]
