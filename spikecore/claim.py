"""A folder of pictures holds those of one run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from spikecore.errors import OutputError
from spikecore.record import record_path, write_record

_FREE = ("at", "start", "stop", "output", "read_ahead", "batch", "fps")  # pictures of one instant do not depend on them


def claim(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Make a folder of pictures this run's by its record; a run that was stopped may go on with other instants.

    Raises:
        OutputError: If it holds pictures of another run.
    """
    held: Any = None
    with suppress(OSError, ValueError):
        held = json.loads(record_path(folder).read_text(encoding="utf-8"))
    if any(folder.glob("*.png")) and not (isinstance(held, dict) and _identity(held) == _identity(recipe)):
        raise OutputError(f"{folder} holds pictures of another run\n  try: another folder, or remove this one first")
    write_record(folder, recipe)


def _identity(recipe: Mapping[str, Any]) -> Any:
    """What the pictures of a run depend on, but for which instants they are of."""
    table = dict(recipe.get("experiment", {}))
    table["run"] = {name: value for name, value in table.get("run", {}).items() if name not in _FREE}
    return json.loads(json.dumps([table | {"name": ""}, recipe.get("weights"), recipe.get("inputs")]))
