"""The `experiment_results.json` of SpikeCLIP's results tracker, read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikecore import GROUND_TRUTH, RecordedRun, Score, SpikeFormatError, read_table
from spikecore.files.atomic import write_text

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


class Tracker:
    """See `spikecore.ResultsFormat`."""

    def read(self, path: Path) -> list[RecordedRun]:
        """Every run of the file (at most 64 MB).

        Raises:
            SpikeFormatError: If the file is not of this format.
        """
        runs = read_table(path, _MAX_BYTES).get("runs")
        if not isinstance(runs, list) or not all(_is_run(run) for run in runs):
            raise SpikeFormatError(
                path, "no list of runs with exp_name and metrics", expected='{"runs": […], "best_run": …}'
            )
        return [_recorded(run) for run in runs]

    def write(self, runs: Sequence[RecordedRun], path: Path) -> int:
        """Write every method of every run in this format, atomically; returns how many that are.

        Runs that were imported keep their own fields; of others, run-level values whose metric has a name in the format
        (the part after "/") are written, one entry for each method: "RUN METHOD" where a run has several.
        """
        entries = [entry for run in runs for entry in _entries(run)]
        write_text(path, json.dumps({"runs": entries, "best_run": best(entries)}, indent=2) + "\n")
        return len(entries)


def _recorded(run: dict[str, Any]) -> RecordedRun:
    name = run["exp_name"]
    scores = tuple(
        Score("", name, metric, float(value), "", METRICS.get(metric))
        for metric, value in run["metrics"].items()
        if value is not None
    )
    return RecordedRun(_KIND, name, str(run.get("timestamp", "")), recipe=run, scores=scores)


def _is_run(run: Any) -> bool:
    if not isinstance(run, Mapping) or not isinstance(run.get("exp_name"), str):
        return False
    metrics = run.get("metrics")
    return isinstance(metrics, Mapping) and all(
        value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in metrics.values()
    )


def _entries(run: RecordedRun) -> list[dict[str, Any]]:
    methods: dict[str, dict[str, float | None]] = {}
    for score in run.scores:
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


def _entry(run: RecordedRun, name: str, metrics: dict[str, float | None]) -> dict[str, Any]:
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
