"""How far a training has come: everything that is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import attrs
import torch


@attrs.define
class Progress:
    """The position of a training, always between two optimiser steps.

    Args:
        id: Of the run; the same after a restart.
        stage: Number of the stage, from 0.
        stage_step: Optimiser steps taken in it.
        step: Optimiser steps taken in all stages.
        epoch: Passes over the data begun before this one, over all stages.
        batch: Batches of this pass that are done.
        best: Best score so far, or None.
        stage_best: Best score of this stage so far, or None.
        stale: Validations since that one.
        ended: Length of each stage that was taken to its end; 0 for one that patience ended.
        scores: The last validation.
        losses: Total loss of every step.
    """

    id: str = attrs.field(factory=lambda: uuid4().hex)
    stage: int = 0
    stage_step: int = 0
    step: int = 0
    epoch: int = 0
    batch: int = 0
    best: float | None = None
    stage_best: float | None = None
    stale: int = 0
    ended: list[int] = attrs.field(factory=list)
    scores: dict[str, float] = attrs.field(factory=dict)
    losses: list[float] = attrs.field(factory=list)

    def advance(self, loss: float, last: bool) -> None:
        """One optimiser step was taken; `last` says that it was the last of its epoch."""
        self.losses.append(loss)
        self.step += 1
        self.stage_step += 1
        self.epoch, self.batch = (self.epoch + 1, 0) if last else (self.epoch, self.batch + 1)

    def next_stage(self, length: int) -> None:
        """A stage of `length` steps has ended, maybe early; the next one begins with a new pass over the data."""
        self.ended.append(length if self.stage_step >= length else 0)
        self.stage += 1
        self.stage_step = self.stale = 0
        self.stage_best = None
        if self.batch:
            self.epoch, self.batch = self.epoch + 1, 0

    def judged(self, scores: Mapping[str, float], value: float | None, higher: bool) -> bool:
        """Take in the scores of a validation; True if `value` is the best so far, over all stages."""
        self.scores = dict(scores)
        if value is None:
            return False
        fresh = _better(value, self.stage_best, higher)
        self.stage_best, self.stale = (value, 0) if fresh else (self.stage_best, self.stale + 1)
        better = _better(value, self.best, higher)
        self.best = value if better else self.best
        return better

    def plain(self) -> dict[str, Any]:
        """As plain values and tensors."""
        return {**attrs.asdict(self), "losses": torch.tensor(self.losses, dtype=torch.float64)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Progress:
        """The inverse of `plain`."""
        return cls(**{**plain, "losses": plain["losses"].tolist()})


def _better(value: float, best: float | None, higher: bool) -> bool:
    return value == value and (best is None or (value > best if higher else value < best))
