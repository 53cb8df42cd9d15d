"""What observers are told: about a run, and what it measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import attrs

GROUND_TRUTH = "ground truth"
"""The method that scores of the ground truth itself are recorded under; no method competes with it."""


@attrs.frozen
class RunInfo:
    """One run, as observers see it.

    Args:
        kind: "reconstruct", "evaluate", "bench" or "train".
        title: One line for progress displays.
        total: Steps the run will take, if known.
        recipe: The resolved experiment, as written to run.json.
        id: A unique id.
        started: Start time, UTC.
    """

    kind: str
    title: str
    total: int | None = None
    recipe: Mapping[str, Any] = attrs.field(factory=dict)
    id: str = attrs.field(factory=lambda: uuid4().hex)
    started: datetime = attrs.field(factory=lambda: datetime.now(UTC))

    @property
    def name(self) -> str:
        """The name of its experiment, else its title."""
        return str(self.recipe.get("experiment", {}).get("name", self.title))


@attrs.frozen
class Score:
    """One measured value.

    Args:
        item: The recording or clip; "" for a value of the whole run, such as a mean.
        method: Id (and options) of the method.
        metric: What was measured, with its unit or convention where the name needs it.
        value: None if it could not be measured; `reason` then says why.
        reason: "" for a measured value.
        higher_is_better: None if neither is.
    """

    item: str
    method: str
    metric: str
    value: float | None
    reason: str = ""
    higher_is_better: bool | None = None


@attrs.frozen
class RecordedRun:
    """A run and what it measured, as files of results hold them.

    Args:
        kind: "evaluate", "bench", "train", or the name of a foreign format.
        name: Of its experiment.
        started: ISO 8601, UTC.
        state: done, failed or interrupted.
        recipe: As `RunInfo.recipe`; of foreign runs, whatever their file says of them.
        scores: What was measured.
        id: Where it has one.
    """

    kind: str
    name: str
    started: str
    state: str = "done"
    recipe: Mapping[str, Any] = attrs.field(factory=dict)
    scores: tuple[Score, ...] = ()
    id: str = ""


class ResultsFormat(Protocol):
    """A foreign format of files of results, see the hook `spikecore_results_format`."""

    def read(self, path: Path) -> Iterable[RecordedRun]:
        """Every run of a file; raises SpikeFormatError if it is not of this format."""
        ...

    def write(self, runs: Sequence[RecordedRun], path: Path) -> int:
        """Write runs, the oldest first, atomically; returns how many entries that made."""
        ...
