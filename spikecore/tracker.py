"""The `experiment_results.json` of SpikeCLIP's results tracker, read into the results store and written from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikecore.config import read_table
from spikecore.errors import SpikeFormatError
from spikecore.output import write_text
from spikecore.results import Results, Run, Score

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


def read_tracker(path: Path, results: Results) -> list[str]:
    """Import every run of the file; returns their new ids.

    Raises:
        SpikeFormatError: If the file is not of this format; nothing is imported then.
    """
    table = read_table(path)
    runs = table.get("runs")
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


def _is_run(run: Any) -> bool:
    if not isinstance(run, Mapping) or not isinstance(run.get("exp_name"), str):
        return False
    metrics = run.get("metrics")
    return isinstance(metrics, Mapping) and all(
        value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in metrics.values()
    )


def write_tracker(results: Results, path: Path) -> int:
    """Write all runs in this format, atomically; returns how many.

    Runs that were imported keep their own fields; of others, run-level values whose metric has a name in the format
    (the part after "/") are written.
    """
    runs = [_entry(results, run) for run in reversed(results.runs())]
    write_text(path, json.dumps({"runs": runs, "best_run": best(runs)}, indent=2) + "\n")
    return len(runs)


def _entry(results: Results, run: Run) -> dict[str, Any]:
    metrics: dict[str, float | None] = dict.fromkeys(METRICS)
    for _, score in results.scores(run.id):
        name = score.metric.rpartition("/")[2]
        if name in METRICS and not score.item and score.method != "ground truth":
            metrics[name] = score.value
    if run.kind == _KIND:
        return {**run.recipe, "metrics": {**metrics, **dict(run.recipe["metrics"])}}
    config: dict[str, Any] = {
        "data_type": None,
        "num_train_samples": None,
        "num_test_samples": None,
        "hyperparameters": {},
    }
    return {
        "exp_name": run.name,
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
