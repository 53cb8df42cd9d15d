"""The smallest source, model, loss and metric that work: what the trainer contract trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from spikecore.data.batch import Batch
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample, Window
from spikecore.plugin.interfaces import LossTerms, Stage
from spikecore.testing import data

_SIZE = (6, 7)
_LENGTH = 16


class TinySource:
    """Still pictures of constant rate; the target is rate / 2 + 0.2, so that the best model is known."""

    def __init__(self, items: int = 8) -> None:
        self.items = items

    def __len__(self) -> int:
        return self.items

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < self.items:
            raise IndexError(f"there are items 0..{self.items - 1}, not {index}")
        rates = np.random.default_rng(index).random(_SIZE)
        target = (rates / 2 + 0.2).astype(np.float32)[None]
        return Sample(
            key=f"item-{index}", spikes=data.constant_rate(rates, _LENGTH, _SIZE), target={Data.IMAGE: target}
        )


class TinyModel(nn.Module):
    """image = weight · mean rate + bias."""

    window = Window.centred(_LENGTH)

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.network = nn.Conv2d(1, 1, 1)
        random = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.network.parameters():
                parameter.copy_(torch.rand(parameter.shape, generator=random) - 1)

    def forward(self, batch: Batch, /) -> Mapping[str, torch.Tensor]:
        """See `spikecore.plugin.interfaces.Model`."""
        assert batch.spikes is not None  # the source above gives spikes
        return {Data.IMAGE: self.network(batch.spikes.tensor().mean(1, keepdim=True))}

    def stages(self) -> Sequence[Stage]:
        """See `spikecore.plugin.interfaces.Model`."""
        return [Stage("tiny", steps=16, losses={"tiny/l2": 1.0}, optimiser={"use": "adam", "lr": 0.05})]


class Killed(BaseException):
    """What ends a training in the middle; not an `Exception`, so that no trainer takes it for an error to handle."""


class TinyLoss(nn.Module):
    """Mean squared error that remembers what it was asked about.

    Args:
        kill_at: Raise `Killed` instead of the answer number `kill_at` (from 1); never if 0.
    """

    def __init__(self, kill_at: int = 0) -> None:
        super().__init__()
        self.kill_at = kill_at
        self.keys: list[tuple[str, ...]] = []

    def forward(self, output: Mapping[str, torch.Tensor], batch: Batch, /) -> LossTerms:
        """See `spikecore.plugin.interfaces.Loss`."""
        if len(self.keys) + 1 == self.kill_at:
            raise Killed(f"at answer {self.kill_at}")
        self.keys.append(batch.keys)
        total = (output[Data.IMAGE] - batch.target[Data.IMAGE]).square().mean()
        return LossTerms(total, {"l2": total})


class TinyMetric:
    """Mean absolute error."""

    higher_is_better = False

    def __init__(self) -> None:
        self.reset()

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        """See `spikecore.plugin.interfaces.Metric`."""
        self.total += float((preds - target).abs().mean(dim=(1, 2, 3)).sum())
        self.items += len(preds)

    def compute(self) -> torch.Tensor:
        """See `spikecore.plugin.interfaces.Metric`."""
        return torch.tensor(self.total / self.items)

    def reset(self) -> None:
        """See `spikecore.plugin.interfaces.Metric`."""
        self.total, self.items = 0.0, 0
