"""Scores of many recordings as means and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spikecore import Score
from spikecore_plugin_evaluate.judgement import TIME


def summarise(scores: Sequence[Score]) -> list[Score]:
    """Means over items (times: medians), one run-level score per method and metric.

    Items without a value are counted in the reason.
    """
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.method, score.metric), []).append(score)
    means = []
    for (method, metric), held in groups.items():
        values = [score.value for score in held if score.value is not None]
        without = [score.reason for score in held if score.value is None]
        middle = np.median if metric == TIME else np.mean
        mean = float(middle(values)) if values else None
        reason = f"{len(without)} of {len(held)} items: {without[0]}" if without else ""
        higher = next((score.higher_is_better for score in held if score.value is not None), held[0].higher_is_better)
        means.append(Score("", method, metric, mean, reason, higher))
    return means


def table(scores: Sequence[Score], *, each: bool = True, means: bool = True) -> tuple[list[str], list[list[Any]]]:
    """Header and rows: one row per (item, method) and one per method's means, one column per metric.

    Rows of means say in the column "judged" on how many of the items they stand: "2 of 4", or "0 to 4 of 4" where the
    metrics differ.
    """
    shown = [*(scores if each else ()), *(summarise(scores) if means else ())]
    metrics = list(dict.fromkeys(score.metric for score in shown))
    cells: dict[tuple[str, str], dict[str, float | None]] = {}
    for score in shown:
        cells.setdefault((score.item, score.method), {})[score.metric] = score.value
    rows: list[list[Any]] = []
    for (item, method), row in cells.items():
        judged_on = [None if item else _judged_on(scores, method)] if means else []
        rows.append([item or "mean", method, *judged_on, *(row.get(name) for name in metrics)])
    return ["item", "method", *(["judged"] if means else []), *metrics], rows


def _judged_on(scores: Sequence[Score], method: str) -> str:
    counts: dict[str, int] = {}
    for score in scores:
        if score.method == method:
            counts[score.metric] = counts.get(score.metric, 0) + (score.value is not None)
    least, most = min(counts.values()), max(counts.values())
    total = len({score.item for score in scores if score.method == method})
    return f"{most} of {total}" if least == most else f"{least} to {most} of {total}"
