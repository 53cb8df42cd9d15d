"""Five 3×3 convolutions on 41 spike frames, frames as channels."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from spikecore import Output, Stage, UsageError, Window

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_baseline.config import ConvConfig

FRAMES = 41
CHANNELS = (FRAMES, 64, 128, 64, 16, 1)


class Conv(nn.Module):
    """Light intensity at the middle frame, in spikes per frame: ReLU after all convolutions but the last.

    Any height and width. 180,705 parameters; 180,432 multiply-accumulates a pixel. Spikes outside the picture count
    as none, so the outermost five pixels see less.
    """

    window = Window.centred(FRAMES)

    def __init__(self, config: ConvConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for taken, given in pairwise(CHANNELS):
            layers += [nn.Conv2d(taken, given, 3, padding=1), nn.ReLU()]
        self.network = nn.Sequential(*layers[:-1])

    def forward(self, batch: Batch, /) -> Output:
        """{"image": float32 (N, 1, H, W)}.

        Raises:
            UsageError: If the batch carries no spikes, or was not cut to the window.
        """
        if batch.spikes is None:
            raise UsageError(f"samples {', '.join(batch.keys)} carry no spikes; this method needs a spike recording")
        length = batch.spikes.shape[1]
        if length != FRAMES:
            raise UsageError(f"baseline/conv takes {FRAMES} spike frames, got {length}; cut samples to its window")
        dtype = next(self.network.parameters()).dtype
        image: torch.Tensor = self.network(batch.spikes.tensor(dtype))
        return {"image": image}

    def stages(self) -> list[Stage]:
        """The recipe of the weights that are shipped."""
        return [
            Stage(
                "generated",
                steps=3000,
                losses={"train/l1": 1.0},
                optimiser={"use": "adam", "lr": 2e-3},
                schedule={"use": "cosine", "floor": 0.01, "warmup": 100},
            )
        ]
