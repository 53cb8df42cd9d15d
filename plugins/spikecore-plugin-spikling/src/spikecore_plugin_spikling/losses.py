"""spikling's losses, in the units of its network: y = value · 255 / 128 - 1, so that dark is -1.

From the documented behaviour of github.com/lshpku/spikling (train, utils); its total is 100·L2 + VGG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import mse_loss

from spikecore import Data, LossTerms, MissingTruth, Output, UsageError
from spikecore_plugin_spikling.vgg import distance, load_features

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_spikling.config import L2Config, TvConfig, VggConfig


def network_units(image: torch.Tensor, black: float = 0.0) -> torch.Tensor:
    """Intensity as the network's values: (255·intensity - black) / 128 - 1.

    The truth has black = 0. The original reads its network's y as y·128 + 127, which for the same y is a level less
    than the truth's 128·y + 128: with black = -1 an output is taken back to exactly that y.
    """
    return (255 * image - black) / 128 - 1


def compared(output: Output, batch: Batch, compat: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The image of an output and that of the truth, in the network's units.

    Raises:
        UsageError: If the output holds no image, or one of another shape.
        MissingTruth: If the batch holds none.
    """
    if Data.IMAGE not in output:
        raise UsageError(f"this loss judges images; the model gave {', '.join(output) or 'nothing'}")
    if Data.IMAGE not in batch.target:
        raise MissingTruth(f"this loss needs a true image, which {', '.join(batch.keys)} lack")
    image, truth = output[Data.IMAGE], batch.target[Data.IMAGE]
    if image.shape != truth.shape:
        raise UsageError(f"image: output {tuple(image.shape)} and ground truth {tuple(truth.shape)} differ in shape")
    return network_units(image, -1.0 if compat else 0.0), network_units(truth)


class L2:
    """mean (output - truth)² in the network's units: (255 / 128)² times that of intensities."""

    def __init__(self, config: L2Config) -> None:
        self.compat = config.compat

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        total = mse_loss(*compared(output, batch, self.compat))
        return LossTerms(total, {"l2": total})


class Vgg(nn.Module):
    """Mean squared difference of VGG19's features relu3_3 of output and truth.

    Raises:
        WeightsError: If its weights are nowhere, or not those of a VGG19.
    """

    def __init__(self, config: VggConfig) -> None:
        super().__init__()
        self.features = load_features(config.weights, config.download)
        self.compat = config.compat

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        total = distance(self.features, *compared(output, batch, self.compat))
        return LossTerms(total, {"vgg": total})


class Tv:
    """Total variation: 2·(mean squared step down + mean squared step right), in the network's units.

    Judges the output alone: how rough it is. The original offers it and does not use it.
    """

    def __init__(self, config: TvConfig) -> None:
        pass

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        if Data.IMAGE not in output:
            raise UsageError(f"this loss judges images; the model gave {', '.join(output) or 'nothing'}")
        image = network_units(output[Data.IMAGE])
        down, right = image.diff(dim=-2), image.diff(dim=-1)
        parts = [step.square().mean() for step in (down, right) if step.numel()]
        total = 2 * torch.stack(parts).sum() if parts else 0 * image.sum()
        return LossTerms(total, {"tv": total})
