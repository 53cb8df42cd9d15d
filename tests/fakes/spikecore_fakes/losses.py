"""Fake losses: squared error, and the same with one fault each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from spikecore import Batch, LossTerms

Output = Mapping[str, torch.Tensor]


class Squares(nn.Module):
    """Right."""

    def __init__(self, config: Any) -> None:
        super().__init__()

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.plugin.interfaces.Loss`."""
        total = (output["image"] - batch.target["image"]).square().mean()
        return LossTerms(total, {"squares": total})


class KnownSquares(Squares):
    """Right: of depth, where it is known."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        known = ~batch.target["depth"].isnan()
        return LossTerms((output["depth"][known] - batch.target["depth"][known]).square().mean())


class MapOfSquares(Squares):
    """Gives one value a pixel."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        return LossTerms((output["image"] - batch.target["image"]).square())


class PlainNumber(Squares):
    """Gives a Python number."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        return LossTerms(super().forward(output, batch).total.item())


class UnknownSquares(Squares):
    """Averages over unknown depth."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        return LossTerms((output["depth"] - batch.target["depth"]).square().mean())


class UnknownPart(KnownSquares):
    """Logs a part that is unknown."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        return LossTerms(super().forward(output, batch).total, {"depth": batch.target["depth"].mean()})


class DetachedSquares(Squares):
    """Cannot be trained by."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        return LossTerms(super().forward(output, batch).total.detach())


class ShiftsTarget(Squares):
    """Centres the ground truth in place."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        batch.target["image"].sub_(0.5)
        return super().forward(output, batch)


class RandomSquares(Squares):
    """Weighs at random."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        return LossTerms(super().forward(output, batch).total * (0.5 + torch.rand(())))


class RewardsErrors(Squares):
    """Has the wrong sign."""

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        return LossTerms(-super().forward(output, batch).total)
