"""What became of one recording: its scores, its pictures, and what failed."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore import Bound, Experiment, Outcome, Score, reason_of

TIME, MEMORY = "time ms (median)", "memory MB"


@attrs.frozen
class Failure:
    """What a method, metric or picture met that it must not: the sample, the reason and the traceback."""

    item: str
    reason: str
    traceback: str = ""

    @classmethod
    def of(cls, item: str, error: Exception) -> Failure:
        """The failure that an exception is."""
        return cls(item, reason_of(error), "".join(traceback.format_exception(error)))


@attrs.define
class Judgement:
    """What became of one sample.

    Args:
        key: The sample's.
        instant: Where it was judged.
        scores: One for every method and metric.
        failures: What failed.
        pictures: Images by method, (H, W) or (H, W, C) in [0, 1], of those that give one.
        output: The file of these, if it was written.
    """

    key: str
    instant: float | None = None
    scores: list[Score] = attrs.field(factory=list)
    failures: list[Failure] = attrs.field(factory=list)
    pictures: dict[str, NDArray[np.float32]] = attrs.field(factory=dict)
    output: str = ""

    def plain(self) -> dict[str, Any]:
        """All but the pictures as JSON can hold it, in which an infinite value is the text "inf"."""
        scores = [attrs.asdict(score) for score in self.scores]
        for score in scores:
            if score["value"] is not None and math.isinf(score["value"]):
                score["value"] = str(score["value"])
        failures = [attrs.asdict(failure) for failure in self.failures]
        named = {"key": self.key, "instant": self.instant}
        return {**named, "scores": scores, "failures": failures, "output": self.output}

    @classmethod
    def of(cls, experiment: Experiment, outcome: Outcome) -> Judgement:
        """From what `plain` gave, or from the reason why there is nothing."""
        found = outcome.result
        if found is None:
            key = f"#{outcome.item}"  # a sample that cannot be had does not say its own
            scores = [one for bound in experiment.methods for one in lacking(experiment, bound, key, outcome.reason)]
            return cls(key, scores=scores, failures=[Failure(key, outcome.reason, outcome.traceback)])
        return cls(
            found["key"],
            found["instant"],
            [_score(score) for score in found["scores"]],
            [Failure(**failure) for failure in found["failures"]],
            output=found["output"],
        )


def _score(plain: Mapping[str, Any]) -> Score:
    value = plain["value"]
    return Score(**{**plain, "value": None if value is None else float(value)})


def lacking(experiment: Experiment, method: Bound, item: str, reason: str) -> Iterable[Score]:
    """The scores of a method that has none on a sample: every value is missing for the same reason."""
    for name in (TIME, MEMORY, *(metric.label for metric in experiment.many("metric"))):
        yield Score(item, method.label, name, None, reason)
