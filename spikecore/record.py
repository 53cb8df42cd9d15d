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

from spikecore.component import API_VERSION, Kind
from spikecore.errors import ConfigError, WeightsError
from spikecore.experiment import RECORD_FORMAT, Experiment
from spikecore.output import write_text
from spikecore.weights import declared, locate

_LIBRARIES = ("spikecore", "numpy", "numba", "torch", "opencv-python", "h5py")


def record(experiment: Experiment, weights: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The resolved experiment, versions, seed, weight hashes, machine and time, as plain values.

    Args:
        experiment: What is run.
        weights: sha256 of the weights in use, by component id; those that the methods would load, if not said.
    """
    names = {bound.component.plugin for bound in experiment.parts.values()}
    plugins = {name: status for name, status in experiment.host.statuses.items() if name in names}
    return {
        "format": RECORD_FORMAT,
        "experiment": experiment.dump(),
        "fingerprint": experiment.fingerprint,
        "seed": experiment.seed,
        "api": list(API_VERSION),
        "versions": {"python": platform.python_version(), **_versions()},
        "plugins": {name: f"{status.distribution} {status.version}".strip() for name, status in plugins.items()},
        "weights": used_weights(experiment) if weights is None else dict(weights),
        "machine": platform.platform(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def used_weights(experiment: Experiment) -> dict[str, str]:
    """Hashes of the weights that the methods would load; what cannot be had is reported by whoever loads it."""
    host, found = experiment.host, {}
    for bound in experiment.methods:
        if bound.component.kind is Kind.MODEL:
            with suppress(WeightsError, ConfigError):
                stated = declared(host, bound, experiment.run.weights)
                _, found[bound.component.id] = locate(
                    host, bound.component, stated.name if stated else experiment.run.weights
                )
    return found


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
