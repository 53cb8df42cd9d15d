"""The files that an experiment reads: which they are, and whether they are still the same."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs

from spikecore.experiment.experiment import Experiment
from spikecore.files.inputs import Inputs, beneath, described_by
from spikecore.plugin.bound import Bound
from spikecore.runner.record import record


def recipe_of(experiment: Experiment, without: Path, writes: Iterable[Path] = ()) -> dict[str, Any]:
    """The record of a run that reads files: with absolute paths, and what identifies its inputs.

    Args:
        experiment: What is run, settled.
        without: Where the run writes; files in there are none of its inputs.
        writes: More that it writes.

    Raises:
        UsageError: If it would write over what it reads.
    """
    inputs_of(experiment).refuse(without, *writes)
    parts = {role: _absolute(bound) for role, bound in experiment.parts.items()}
    found = {f"{role}.{name}": path for role, bound in parts.items() for name, path in _paths(bound)}
    run = experiment.run
    if run.weights and any(bound.weights and bound.weights.path == Path(run.weights) for bound in parts.values()):
        run = attrs.evolve(run, weights=os.path.abspath(run.weights))
    recipe = record(attrs.evolve(experiment, parts=parts, run=run))
    return recipe | {"inputs": {option: _identity(path, without.resolve()) for option, path in found.items()}}


def files(experiment: Experiment, without: Path) -> Iterator[Path]:
    """Every file that the options of an experiment name, what describes it, and those in the folders they name."""
    for path in _named(experiment):
        yield from _files(path, without)
        yield from filter(Path.is_file, () if path.is_dir() else described_by(path))


def inputs_of(experiment: Experiment) -> Inputs:
    """What an experiment reads, so that it does not write over it."""
    return Inputs(_named(experiment))


def _named(experiment: Experiment) -> Iterator[Path]:
    if experiment.run.weights:
        yield Path(experiment.run.weights)
    for bound in experiment.parts.values():
        if bound.weights:
            yield bound.weights.path
        yield from (path for _, path in _paths(bound))


def _paths(bound: Bound) -> Iterator[tuple[str, Path]]:
    for name, value in attrs.asdict(bound.config, recurse=False).items():
        if isinstance(value, Path):
            yield name, value


def _absolute(bound: Bound) -> Bound:
    paths = {name: Path(os.path.abspath(path)) for name, path in _paths(bound) if path.exists()}
    return attrs.evolve(bound, config=attrs.evolve(bound.config, **paths)) if paths else bound


def _identity(path: Path, without: Path) -> dict[str, Any]:
    """Number of files, bytes in all, and a hash of their names, sizes and times; contents may be too large to hash."""
    states = sorted((str(file.relative_to(path)), file.stat()) for file in _files(path, without))
    listing = json.dumps([(name, state.st_size, state.st_mtime_ns) for name, state in states])
    total = sum(state.st_size for _, state in states)
    return {"files": len(states), "bytes": total, "listing": sha256(listing.encode()).hexdigest()}


def _files(path: Path, without: Path) -> Iterator[Path]:
    yield from filter(Path.is_file, beneath(path, [without]) if path.is_dir() else [path])
