"""Judging a method on the samples of a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import torch

from spikecore.adapter import Method, prepare
from spikecore.component import Data
from spikecore.errors import UsageError
from spikecore.experiment import Bound, Experiment, RunConfig
from spikecore.interfaces import SpikeSource
from spikecore.run import Array, compute, to_picture
from spikecore.sample import Sample


@attrs.frozen
class Row:
    """Scores of one sample by metric id."""

    key: str
    values: Mapping[str, float]


def scores(experiment: Experiment) -> list[Row]:
    """Every sample of the experiment's source, at the instant its ground truth belongs to, by every metric.

    Raises:
        UsageError: If there is no source or method, or a sample lacks the ground truth a metric needs.
    """
    bound, source = experiment.method, experiment.parts.get("source")
    if bound is None or source is None:
        raise UsageError("scores need [source] and [reconstructor] or [model]")
    method = prepare(experiment.host, bound, experiment.run)
    samples: SpikeSource = source.build()
    metrics = experiment.many("metric")
    picked = (samples[number] for number in range(len(samples)))
    return [Row(sample.key, score(sample, method, metrics, experiment.run)) for sample in picked]


def score(sample: Sample, method: Method, metrics: Sequence[Bound], run: RunConfig) -> dict[str, float]:
    """One sample by every metric."""
    value = compute(method, [sample.around(method.reconstructor.window, run.at)], run)[0]
    return {
        metric.component.id: judge(metric, to_picture(value, sample, method, run), sample, method) for metric in metrics
    }


def judge(metric: Bound, picture: Array, sample: Sample, method: Method) -> float:
    """One result by one metric; pictures are (H, W) or (H, W, C) in [0, 1]."""
    wanted = metric.component.targets
    lacking = sorted(wanted - sample.target.keys())
    if lacking:
        raise UsageError(f"{metric.component.id} needs ground truth of kind {lacking[0]}, which {sample.key} lacks")
    preds = torch.from_numpy(picture.copy())
    if method.produces is Data.IMAGE:
        preds = preds[None] if preds.ndim == 2 else preds.movedim(-1, 0)
    elif method.produces is Data.VIDEO:
        preds = preds[:, None] if preds.ndim == 3 else preds.movedim(-1, 1)
    kind = next(iter(sorted(wanted)), None)
    target = preds if kind is None else torch.from_numpy(sample.target[kind].copy())
    built = metric.build()
    built.update(preds[None], target[None])
    return float(built.compute())


def mean_scores(rows: Iterable[Row]) -> dict[str, float]:
    """The mean of every metric over rows."""
    held = list(rows)
    return {name: sum(row.values[name] for row in held) / len(held) for name in held[0].values}
