"""Methods judged by metrics over the samples of a source, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import attrs
import numpy as np

from spikecore.adapter import Method, prepare
from spikecore.component import Data
from spikecore.errors import MissingTruth, SpikecoreError, UsageError
from spikecore.experiment import Bound, Experiment
from spikecore.memory import peak_of
from spikecore.results import Score
from spikecore.run import Array, compute, to_picture
from spikecore.sample import Sample
from spikecore.scores import judge

TRUTH = "ground truth"
TIME, MEMORY = "time ms", "memory MB"


def evaluate_item(experiment: Experiment, item: int, folder: Path) -> Mapping[str, Any]:
    """Judge every method on sample number `item`; writes pictures/KEY.png and gives {"key", "scores"}.

    Every method is judged at the instant of the sample's ground truth (`run.at` if given). Time is that of one result,
    input preparation included, after a warm-up; memory is the growth of the process's peak meanwhile.
    """
    sample: Sample = _samples(experiment)[item]
    if experiment.run.at is not None and experiment.run.at != sample.instant:
        sample = attrs.evolve(sample, at=experiment.run.at, target={})
    pictures: dict[str, Array] = {}
    scores: list[Score] = []
    for bound, method in zip(experiment.methods, _methods(experiment), strict=True):
        picture, cost = timed(sample, method, experiment)
        scores += [Score(sample.key, bound.label, name, value, "", False) for name, value in cost.items()]
        scores += judged(bound.label, picture, sample, method, experiment.many("metric"))
        if method.produces is Data.IMAGE:
            pictures[bound.label] = picture
    truth = sample.target.get(Data.IMAGE)
    if truth is not None and pictures:
        reference_free = [metric for metric in experiment.many("metric") if not metric.component.targets]
        ideal = np.moveaxis(truth, 0, -1)[..., 0] if len(truth) == 1 else np.moveaxis(truth, 0, -1)
        like = next(method for method in _methods(experiment) if method.produces is Data.IMAGE)
        scores += judged(TRUTH, ideal, sample, like, reference_free)
    if pictures:
        _draw(pictures, truth, folder / "pictures" / f"{sample.key}.png")
    return {"key": sample.key, "instant": sample.instant, "scores": [attrs.asdict(score) for score in scores]}


@lru_cache(maxsize=1)
def _samples(experiment: Experiment) -> Any:
    source = experiment.parts.get("source")
    if source is None or not experiment.methods:
        raise UsageError("an evaluation needs [source] and at least one method: [reconstructor], [model] or [[method]]")
    return source.build()


@lru_cache(maxsize=1)
def _methods(experiment: Experiment) -> list[Method]:
    return [prepare(experiment.host, bound, experiment.run) for bound in experiment.methods]


def timed(sample: Sample, method: Method, experiment: Experiment) -> tuple[Array, dict[str, float]]:
    """The picture of a method at the sample's instant, and what it cost: time in ms, memory in MB."""
    run = experiment.run
    piece = sample.around(method.reconstructor.window)
    compute(method, [piece], run)  # the first call compiles, allocates and reads the file
    with peak_of(run.device) as peak:
        began = perf_counter()
        value = compute(method, [piece], run)[0]
        milliseconds = 1000 * (perf_counter() - began)
    return to_picture(value, sample, method, run), {TIME: milliseconds, MEMORY: peak()}


def judged(label: str, picture: Array, sample: Sample, method: Method, metrics: Iterable[Bound]) -> list[Score]:
    """Scores of one result by every metric; one that cannot judge gives no value and the reason."""
    found = []
    for metric in metrics:
        higher: bool | None = None
        value: float | None = None
        reason = ""
        try:
            built = _metric(metric)
            higher = built.higher_is_better
            value = judge(built, metric.component, picture, sample, method)
        except MissingTruth:
            raise
        except SpikecoreError as error:  # a file it needs, or a picture it cannot judge: black, small, another size
            reason = str(error)
        if value is not None and math.isnan(value):
            value, reason = None, "the metric gave NaN"
        found.append(Score(sample.key, label, metric.label, value, reason, higher))
    return found


@lru_cache(maxsize=64)
def _metric(bound: Bound) -> Any:
    return bound.build()  # once, as some read their parameters from files; `judge` resets it


def _draw(pictures: Mapping[str, Array], truth: Array | None, path: Path) -> None:
    from spikecore.grid import comparison
    from spikecore.sinks import Target, open_sink

    path.parent.mkdir(parents=True, exist_ok=True)
    sink = open_sink(Target(path, 1))
    sink.write(0, comparison(pictures, None if truth is None else truth[0]))
    sink.commit()


def summarise(scores: Sequence[Score]) -> list[Score]:
    """Means over items, one run-level score per method and metric; items without a value are counted in the reason."""
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.method, score.metric), []).append(score)
    means = []
    for (method, metric), held in groups.items():
        values = [score.value for score in held if score.value is not None]
        lacking = [score.reason for score in held if score.value is None]
        mean = sum(values) / len(values) if values else None
        reason = f"{len(lacking)} of {len(held)} items: {lacking[0]}" if lacking else ""
        means.append(Score("", method, metric, mean, reason, held[0].higher_is_better))
    return means


def table(scores: Sequence[Score]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows: one row per (item, method), one column per metric."""
    metrics = list(dict.fromkeys(score.metric for score in scores))
    cells: dict[tuple[str, str], dict[str, float | None]] = {}
    for score in scores:
        cells.setdefault((score.item, score.method), {})[score.metric] = score.value
    rows = [[item or "mean", method, *(row.get(name) for name in metrics)] for (item, method), row in cells.items()]
    return ["item", "method", *metrics], rows
