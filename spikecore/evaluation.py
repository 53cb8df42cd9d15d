"""Methods judged by metrics over the samples of a source, sample by sample."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import attrs
import numpy as np

from spikecore.adapter import Method, prepare
from spikecore.checked import blamed
from spikecore.component import Data
from spikecore.errors import MissingTruth, PluginError, SpikecoreError, UsageError
from spikecore.experiment import Bound, Experiment
from spikecore.memory import peak_of
from spikecore.output import file_name
from spikecore.pool import Outcome, reason_of
from spikecore.results import GROUND_TRUTH, Score
from spikecore.runner import Array, compute, to_picture
from spikecore.sample import Sample
from spikecore.scores import judge

TIME, MEMORY = "time ms (median)", "memory MB"
CALLS = 5  # a time is the median of at least so many, of one sample or of several


@attrs.frozen
class Failure:
    """What a method, metric or picture met that it must not: the sample, the reason and the traceback."""

    item: str
    reason: str
    traceback: str = ""

    @classmethod
    def of(cls, item: str, error: Exception) -> Failure:
        """The failure that an exception is."""
        return cls(item, reason_of(error), "".join(traceback.format_exception(error)))


@attrs.frozen
class Judgement:
    """What became of one sample: a score for every method and metric, what failed, the picture it left."""

    scores: tuple[Score, ...]
    failures: tuple[Failure, ...] = ()
    output: str = ""

    @classmethod
    def of(cls, experiment: Experiment, outcome: Outcome) -> Judgement:
        """From what `evaluate_item` gave, or from the reason why it gave nothing."""
        found = outcome.result
        if found is not None:
            failures = tuple(Failure(**failure) for failure in found["failures"])
            return cls(tuple(Score(**score) for score in found["scores"]), failures, found["output"])
        key = f"#{outcome.item}"  # a sample that cannot be had does not say its own
        labels = [bound.label for bound in experiment.methods]
        scores = [score for label in labels for score in lacking(experiment, label, key, outcome.reason)]
        return cls(tuple(scores), (Failure(key, outcome.reason, outcome.traceback),))


def evaluate_item(experiment: Experiment, item: int, folder: Path) -> Mapping[str, Any]:
    """Judge every method on sample number `item`: {"key", "instant", "scores", "failures", "output"}.

    The output is a picture of all results, pictures/KEY.png in `folder`. A method or metric that fails has no value and
    a reason, and takes nothing from the others. Every method is judged at the instant of the sample's ground truth
    (`run.at` if given). Time is that of one result, input preparation included, after a warm-up: the median of 5 calls
    in a source of fewer than 5 samples, else of one call, and the run's is the median over its samples. Memory is the
    growth of the process's peak meanwhile.
    """
    samples = source_of(experiment)
    with blamed(experiment.parts["source"].component):
        sample: Sample = samples[item]
    if experiment.run.at is not None and experiment.run.at != sample.instant:
        sample = attrs.evolve(sample, at=experiment.run.at, target={})
    pictures: dict[str, Array] = {}
    scores: list[Score] = []
    failures: list[Failure] = []
    for number, bound in enumerate(experiment.methods):
        try:
            method = _method(experiment, number)
            picture, cost = timed(sample, method, experiment, CALLS if len(samples) < CALLS else 1)
        except Exception as error:  # the other methods are judged all the same
            failures.append(Failure.of(sample.key, error))
            scores += lacking(experiment, bound.label, sample.key, reason_of(error))
            continue
        scores += [Score(sample.key, bound.label, name, value, "", False) for name, value in cost.items()]
        scores += judged(bound.label, picture, sample, method, experiment.many("metric"), failures)
        if method.produces is Data.IMAGE:
            pictures[bound.label], like = picture, method
    path = folder / "pictures" / f"{file_name(sample.key)}.png"
    if pictures:
        scores += _judged_truth(experiment, sample, like, failures)
        _draw(pictures, sample.target.get(Data.IMAGE), path)
    return {
        "key": sample.key,
        "instant": sample.instant,
        "scores": [attrs.asdict(score) for score in scores],
        "output": str(path) if pictures else "",
        "failures": [attrs.asdict(failure) for failure in failures],
    }


@lru_cache(maxsize=1)
def source_of(experiment: Experiment) -> Any:
    """The source of an evaluation, built once."""
    source = experiment.parts.get("source")
    if source is None or not experiment.methods:
        raise UsageError("an evaluation needs [source] and at least one method: [reconstructor], [model] or [[method]]")
    return source.build()


@lru_cache(maxsize=64)
def _method(experiment: Experiment, number: int) -> Method:
    return prepare(experiment.host, experiment.methods[number], experiment.run)


def timed(sample: Sample, method: Method, experiment: Experiment, calls: int = CALLS) -> tuple[Array, dict[str, float]]:
    """The picture of a method at the sample's instant, and what it cost: median time in ms, memory in MB."""
    run = experiment.run
    piece = sample.around(method.reconstructor.window)
    value = compute(method, [piece], run)[0]  # the first call compiles, allocates and reads the file
    spent = []
    with peak_of(run.device) as peak:
        for _ in range(calls):
            began = perf_counter()
            value = compute(method, [piece], run)[0]
            spent.append(1000 * (perf_counter() - began))
        memory = peak()
    return to_picture(value, sample, method, run), {TIME: float(np.median(spent)), MEMORY: memory}


def judged(
    label: str, picture: Array, sample: Sample, method: Method, metrics: Iterable[Bound], failures: list[Failure]
) -> list[Score]:
    """Scores of one result by every metric; one that gives no value gives the reason.

    What a metric must not do (raise what it pleases, be asked without ground truth) is added to `failures`; that a file
    is missing here, or a picture black, small or of another size, is not.
    """
    found = []
    for metric in metrics:
        higher: bool | None = None
        value: float | None = None
        reason = ""
        try:
            with blamed(metric.component):
                built = _metric(metric)
                higher = built.higher_is_better
                value = judge(built, metric.component, picture, sample, method)
        except SpikecoreError as error:
            reason = str(error)
            if isinstance(error, (MissingTruth, PluginError)):
                failures.append(Failure.of(sample.key, error))
        if value is not None and math.isnan(value):
            value, reason = None, "the metric gave NaN"
        found.append(Score(sample.key, label, metric.label, value, reason, higher))
    return found


@lru_cache(maxsize=64)
def _metric(bound: Bound) -> Any:
    return bound.build()  # once, as some read their parameters from files; `judge` resets it


def _judged_truth(experiment: Experiment, sample: Sample, like: Method, failures: list[Failure]) -> list[Score]:
    """What a perfect image method would get from the metrics that need no ground truth."""
    truth = sample.target.get(Data.IMAGE)
    if truth is None:
        return []
    reference_free = [metric for metric in experiment.many("metric") if not metric.component.targets]
    ideal = np.moveaxis(truth, 0, -1)[..., 0] if len(truth) == 1 else np.moveaxis(truth, 0, -1)
    return judged(GROUND_TRUTH, ideal, sample, like, reference_free, failures)


def lacking(experiment: Experiment, label: str, item: str, reason: str) -> list[Score]:
    """The scores of a method that has none on a sample: every value is missing for the same reason."""
    names = [TIME, MEMORY, *(metric.label for metric in experiment.many("metric"))]
    return [Score(item, label, name, None, reason) for name in names]


def _draw(pictures: Mapping[str, Array], truth: Array | None, path: Path) -> None:
    from spikecore.grid import comparison
    from spikecore.sinks import Target, open_sink

    path.parent.mkdir(parents=True, exist_ok=True)
    sink = open_sink(Target(path, 1))
    sink.write(0, comparison(pictures, None if truth is None else truth[0]))
    sink.commit()


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
