"""What a run writes about itself, so that it can be repeated: `spikecore run run.json`."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spikecore.errors import OutputError
from spikecore.experiment.experiment import RECORD_FORMAT, Experiment, fingerprint
from spikecore.files.atomic import write_text
from spikecore.plugin.component import API_VERSION

_LIBRARIES = ("spikecore", "numpy", "numba", "torch", "opencv-python", "h5py")


def record(experiment: Experiment) -> dict[str, Any]:
    """The resolved experiment, versions, seed, weight hashes, machine and time, as plain values.

    Args:
        experiment: What is run, settled (`spikecore.settled`), so that its weights are known.
    """
    names = {bound.component.plugin for bound in experiment.parts.values()}
    plugins = {name: status for name, status in experiment.host.statuses.items() if name in names}
    table = experiment.dump()
    return {
        "format": RECORD_FORMAT,
        "experiment": table,
        "fingerprint": fingerprint(table),
        "seed": experiment.seed,
        "api": list(API_VERSION),
        "versions": {"python": platform.python_version(), **_versions()},
        "plugins": {name: f"{status.distribution} {status.version}".strip() for name, status in plugins.items()},
        "weights": _weights(experiment),
        "machine": platform.platform(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _weights(experiment: Experiment) -> dict[str, str]:
    """sha256 by component id; by label where methods of one id use different weights."""
    used = [(bound, bound.weights.sha256) for bound in experiment.parts.values() if bound.weights]
    found = {bound.component.id: digest for bound, digest in used}
    return found | {bound.label: digest for bound, digest in used if found[bound.component.id] != digest}


def record_path(output: Path) -> Path:
    """Where the record of an output lies: run.json inside a folder, NAME.run.json beside a file."""
    return output / "run.json" if output.is_dir() else output.with_name(f"{output.name}.run.json")


def write_record(output: Path, recipe: Mapping[str, Any]) -> Path:
    """Write the record of an output, atomically."""
    path = record_path(output)
    write_text(path, json.dumps(recipe, indent=2) + "\n")
    return path


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


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
