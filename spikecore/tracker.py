"""The `experiment_results.json` of SpikeCLIP's results tracker, read into the results store and written from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikecore.errors import SpikeFormatError
from spikecore.output import write_text
from spikecore.results import GROUND_TRUTH, Results, Run, Score

METRICS: dict[str, bool | None] = {
    "best_val_accuracy": True,
    "best_val_epoch": None,
    "test_accuracy": True,
    "latency_ms": False,
    "throughput_fps": True,
    "power_watts": False,
    "niqe": False,
    "brisque": False,
    "piqe": False,
}
"""Metric names of the format, and whether higher is better."""
_KIND = "spikeclip tracker"
_MAX_BYTES = 64_000_000


def read_tracker(path: Path, results: Results) -> list[str]:
    """Import every run of the file (at most 64 MB); returns their new ids.

    Raises:
        SpikeFormatError: If the file is not of this format; nothing is imported then.
    """
    runs = _read(path).get("runs")
    if not isinstance(runs, list) or not all(_is_run(run) for run in runs):
        raise SpikeFormatError(
            path, "no list of runs with exp_name and metrics", expected='{"runs": […], "best_run": …}'
        )
    ids = []
    for run in runs:
        id = results.start(_KIND, run["exp_name"], run)
        found = [(name, value) for name, value in run["metrics"].items() if value is not None]
        results.add(
            id, [Score("", run["exp_name"], name, float(value), "", METRICS.get(name)) for name, value in found]
        )
        results.finish(id, "done")
        ids.append(id)
    return ids


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SpikeFormatError(path, "no such file", expected="an experiment_results.json")
    if path.stat().st_size > _MAX_BYTES:
        found = f"{path.stat().st_size} bytes"
        raise SpikeFormatError(path, found, expected=f"at most {_MAX_BYTES} bytes", hint="import its runs in parts")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise SpikeFormatError(path, f"not valid json: {error}") from None
    if not isinstance(table, dict):
        raise SpikeFormatError(path, f"a JSON {type(table).__name__}", expected="a JSON object")
    return table


def _is_run(run: Any) -> bool:
    if not isinstance(run, Mapping) or not isinstance(run.get("exp_name"), str):
        return False
    metrics = run.get("metrics")
    return isinstance(metrics, Mapping) and all(
        value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in metrics.values()
    )


def write_tracker(results: Results, path: Path) -> int:
    """Write every method of every run in this format, atomically; returns how many that are.

    Runs that were imported keep their own fields; of others, run-level values whose metric has a name in the format
    (the part after "/") are written, one entry for each method: "RUN METHOD" where a run has several.
    """
    runs = [entry for run in reversed(results.runs()) for entry in _entries(results, run)]
    write_text(path, json.dumps({"runs": runs, "best_run": best(runs)}, indent=2) + "\n")
    return len(runs)


def _entries(results: Results, run: Run) -> list[dict[str, Any]]:
    methods: dict[str, dict[str, float | None]] = {}
    for _, score in results.scores(run.id):
        if not score.item and score.method != GROUND_TRUTH:
            metrics = methods.setdefault(score.method, dict.fromkeys(METRICS))
            name = score.metric.rpartition("/")[2]
            if name in METRICS:
                metrics[name] = score.value
    if run.kind == _KIND:
        (metrics,) = methods.values() or [dict.fromkeys(METRICS)]
        return [{**run.recipe, "metrics": {**metrics, **dict(run.recipe["metrics"])}}]
    if len(methods) < 2:
        return [_entry(run, run.name, metrics) for metrics in methods.values() or [dict.fromkeys(METRICS)]]
    return [_entry(run, f"{run.name} {method}", metrics) for method, metrics in methods.items()]


def _entry(run: Run, name: str, metrics: dict[str, float | None]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "data_type": None,
        "num_train_samples": None,
        "num_test_samples": None,
        "hyperparameters": {},
    }
    return {
        "exp_name": name,
        "checkpoint_path": None,
        "timestamp": run.started,
        "metrics": metrics,
        "config": config,
    }


def best(runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The run of the highest test accuracy, ties by validation accuracy; None if no run has a test accuracy."""
    judged = [run for run in runs if run["metrics"].get("test_accuracy") is not None]

    def rank(run: dict[str, Any]) -> tuple[float, float]:
        validation = run["metrics"].get("best_val_accuracy")
        return run["metrics"]["test_accuracy"], float("-inf") if validation is None else validation

    return max(judged, key=rank, default=None)
