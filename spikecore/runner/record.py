"""What a run writes about itself, so that it can be repeated: `spikecore run run.json`."""

from __future__ import annotations

import json
import platform
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Any

from spikecore.errors import OutputError, SpikeFormatError
from spikecore.experiment.experiment import RECORD_FORMAT, Experiment, fingerprint
from spikecore.experiment.toml import read_table
from spikecore.files.atomic import atomic, flush, record_of
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
    return output / "run.json" if output.is_dir() else record_of(output)


def write_record(output: Path, recipe: Mapping[str, Any]) -> Path:
    """Write the record of an output, atomically."""
    with recorded(output, recipe) as path:
        return path


@contextmanager
def recorded(output: Path, recipe: Mapping[str, Any]) -> Iterator[Path]:
    """Give an output its name inside: the record is on the disk before, and has its name after."""
    path = record_path(output)
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")
        flush(temporary)
        yield path


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _steps(names: Collection[str]) -> set[int]:
    """How far apart the instants are that pictures are named after; all, from one to the next."""
    whole = sorted(int(found[0]) for name in names if (found := re.match(r"\d+", name)))
    return {after - before for before, after in pairwise(whole)}


_FREE = ("at", "start", "stop", "output", "read_ahead", "batch", "fps")  # pictures of one instant do not depend on them


class OlderPictures(UserWarning):
    """A folder keeps pictures of an earlier run."""


def claim(folder: Path, recipe: Mapping[str, Any], names: Collection[str] = ()) -> None:
    """Make a folder of pictures this run's by its record; a run that was stopped may go on with other instants.

    Pictures of such a run that this one will not write again are kept; with a warning, where all together are not
    what one run would have made.

    Args:
        folder: Where the pictures go.
        recipe: The record of this run.
        names: The files that it will write.

    Raises:
        OutputError: If it holds pictures or other results of another run.
    """
    held: Any = None
    with suppress(SpikeFormatError):
        held = read_table(record_path(folder))
    held_pictures = {path.name for path in folder.glob("*.png")}
    if not (isinstance(held, dict) and _identity(held) == _identity(recipe)):
        files = {path.name for path in folder.iterdir()} - {"run.json", ".lock"}
        what = "pictures" if held_pictures else "results" if held is not None and files else ""
        if what:
            raise OutputError(f"{folder} holds {what} of another run\n  try: another folder, or remove this one first")
    kept = len(held_pictures.difference(names))
    if kept and len(_steps(held_pictures | set(names)) | _steps(names)) > 1:
        warnings.warn(
            f"{folder} keeps {kept} pictures of other instants, which an earlier run of the same method on the same "
            "files made; its run.json will tell of this run alone",
            OlderPictures,
            stacklevel=2,
        )
    write_record(folder, recipe)


def _identity(recipe: Mapping[str, Any]) -> Any:
    """What the pictures of a run depend on, but for which instants they are of."""
    table = recipe.get("experiment")
    run = table.get("run") if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping) or not isinstance(run, Mapping):
        return None  # what was read is no record
    table = {**table, "run": {name: value for name, value in run.items() if name not in _FREE}}
    return json.loads(json.dumps([table | {"name": ""}, recipe.get("weights"), recipe.get("inputs")]))
