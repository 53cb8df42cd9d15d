"""Fake metrics: mean absolute error, and the same with one fault each."""

from __future__ import annotations

from typing import Any

import torch


class Error:
    """Right: mean absolute error."""

    higher_is_better: Any = False

    def __init__(self, config: Any) -> None:
        self.reset()

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        """See `spikecore.plugin.interfaces.Metric`."""
        self.take((preds - target).abs().flatten(1).mean(1))

    def take(self, errors: torch.Tensor) -> None:
        """What the wrong ones do differently with the error of each item."""
        self.total += float(errors.sum())
        self.items += len(errors)

    def compute(self) -> torch.Tensor:
        """See `spikecore.plugin.interfaces.Metric`."""
        return torch.tensor(self.total / self.items)

    def reset(self) -> None:
        """See `spikecore.plugin.interfaces.Metric`."""
        self.total, self.items = 0.0, 0


class Accuracy(Error):
    """Right: the part of labels that is guessed."""

    higher_is_better = True

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        self.take((preds.argmax(1) == target).float())


class PythonNumber(Error):
    """Gives a float."""

    def compute(self) -> Any:
        return float(super().compute())


class NoDirection(Error):
    """Says neither."""

    higher_is_better = "down"


class AverageOfAverages(Error):
    """Weighs batches, not items."""

    def take(self, errors: torch.Tensor) -> None:
        super().take(errors.mean()[None])


class FirstCountsMore(Error):
    """Weighs each item by one over its number."""

    def take(self, errors: torch.Tensor) -> None:
        for error in errors:
            self.items += 1
            self.total += float(error) / self.items


class HalfReset(Error):
    """Forgets the sum, not the count."""

    def reset(self) -> None:
        self.total, self.items = 0.0, getattr(self, "items", 0)


class ResetsItself(Error):
    """Forgets when it is asked."""

    def compute(self) -> torch.Tensor:
        score = super().compute()
        self.reset()
        return score


class SubtractsInPlace(Error):
    """Uses the predictions as a scratch pad."""

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        self.take(preds.sub_(target).abs().flatten(1).mean(1))


class WrongWay(Error):
    """Takes errors for merits."""

    higher_is_better = True


class NeverPerfect(Error):
    """Does not reach its optimum."""

    def compute(self) -> torch.Tensor:
        return super().compute() + 0.01
