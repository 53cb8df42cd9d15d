"""What observers are told about a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import attrs


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
