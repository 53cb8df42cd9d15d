"""Methods judged by metrics over the samples of a source, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore import (
    GROUND_TRUTH,
    Bound,
    Data,
    Experiment,
    MissingTruth,
    Pipeline,
    PluginError,
    Sample,
    Score,
    SpikecoreError,
    SpikeSource,
    UsageError,
    blamed,
    judge,
    prepare,
    reason_of,
    recipe_of,
    settled,
    tell_labels,
)
from spikecore.files.atomic import file_name
from spikecore.files.held import held_folder
from spikecore.sinks.grid import comparison
from spikecore.sinks.open import write_picture
from spikecore_plugin_evaluate.judgement import MEMORY, TIME, Failure, Judgement, lacking
from spikecore_plugin_evaluate.memory import peak_of
from spikecore_plugin_evaluate.summary import summarise

CALLS = 5  # a time is the median of at least so many, of one sample or of several

Outputs = Mapping[Data, NDArray[Any]]


def evaluate(experiment: Experiment, output: Path | None) -> list[Score]:
    """Judge every sample of an experiment's source in this process; see `spikecore.evaluate`."""
    experiment = settled(experiment)
    if output is not None:
        recipe_of(experiment, output, [output / "pictures"])  # refuses to write over what is read
    evaluation = Evaluation(experiment, output)
    with nullcontext() if output is None else held_folder(output):
        scores = [score for item in range(len(evaluation.samples)) for score in evaluation.judged(item).scores]
    return [*scores, *summarise(scores)]


class Evaluation:
    """Judges the methods of an experiment on the samples of its source; see `spikecore.Job`.

    Args:
        experiment: Settled; with methods, metrics, and the source whose samples are asked for by number.
        folder: Where pictures go; none are kept where not said.

    Raises:
        UsageError: If a method or metric is given twice, which no table could tell apart.
    """

    def __init__(self, experiment: Experiment, folder: Path | None = None) -> None:
        self.experiment, self.folder = experiment, folder
        self.metrics = experiment.many("metric")
        for bounds in (experiment.methods, self.metrics):
            _refuse_twins(bounds)
        self._pipelines: dict[str, Pipeline] = {}
        self._built: dict[str, Any] = {}

    @cached_property
    def samples(self) -> SpikeSource:
        """The source, built once.

        Raises:
            UsageError: If there is none, or no method to judge on it.
        """
        if "source" not in self.experiment.parts or not self.experiment.methods:
            parts = "[source] and at least one method: [reconstructor], [model] or [[method]]"
            raise UsageError(f"an evaluation needs {parts}")
        built: SpikeSource = self.experiment.parts["source"].build()
        return built

    def do(self, item: int) -> Mapping[str, Any]:
        """`judged` as plain values."""
        return self.judged(item).plain()

    def judged(self, item: int) -> Judgement:
        """Judge every method on sample number `item` and leave pictures/KEY.png of all results in the folder.

        The instant is that of the sample's ground truth; `run.at` where given, and then no ground truth of another.
        """
        with blamed(self.experiment.parts["source"].component):
            sample = at_instant(self.samples[item], self.experiment.run.at)
        found = self.judge(sample, CALLS if len(self.samples) < CALLS else 1)
        if found.pictures and self.folder is not None:
            path = self.folder / "pictures" / f"{file_name(sample.key)}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            found.output = str(draw(found, sample, path))
        return found

    def judge(self, sample: Sample, calls: int = CALLS) -> Judgement:
        """Judge every method on a sample at its instant.

        A method or metric that fails has no value and a reason, and takes nothing from the others. Time is that of one
        result, input preparation included, after a warm-up: the median of `calls`; a run's is the median over its
        samples. Memory is the growth of the process's peak meanwhile.
        """
        found = Judgement(sample.key, sample.instant)
        for bound in self.experiment.methods:
            try:
                outputs, cost = timed(sample, self.pipeline(bound), calls)
            except Exception as error:  # the other methods are judged all the same
                found.failures.append(Failure.of(sample.key, error))
                found.scores += lacking(self.experiment, bound, sample.key, reason_of(error))
                continue
            found.scores += [Score(sample.key, bound.label, name, value, "", False) for name, value in cost.items()]
            found.scores += [self._score(bound.label, metric, outputs, sample, found) for metric in self.metrics]
            if Data.IMAGE in outputs:
                found.pictures[bound.label] = outputs[Data.IMAGE]
        if found.pictures and Data.IMAGE in sample.target:
            found.scores += self._ideal(sample, found)
        return found

    def pipeline(self, method: Bound) -> Pipeline:
        """One of the methods, prepared once. It takes the instant from the sample."""
        if method.label not in self._pipelines:
            run = attrs.evolve(self.experiment.run, at=None)
            pipeline = prepare(method, run=run, host=self.experiment.host)
            self._introduce(pipeline.model or pipeline.method.reconstructor)
            self._pipelines[method.label] = pipeline
        return self._pipelines[method.label]

    def _score(self, label: str, bound: Bound, outputs: Outputs, sample: Sample, found: Judgement) -> Score:
        """What a metric says, or the reason why it says nothing.

        What is wrong with a metric or with what it was given is a failure; that a file is missing here, or a picture
        black, small or of another size, is not.
        """
        higher: bool | None = None
        value: float | None = None
        reason = ""
        try:
            with blamed(bound.component):
                metric = self._metric(bound)
                higher = metric.higher_is_better
                value = judge(metric, bound.component, outputs, sample)
        except SpikecoreError as error:
            reason = str(error)
            if isinstance(error, (MissingTruth, PluginError)):
                found.failures.append(Failure.of(sample.key, error))
        if value is not None and math.isnan(value):
            value, reason = None, "the metric gave NaN"
        return Score(sample.key, label, bound.label, value, reason, higher)

    def _metric(self, bound: Bound) -> Any:
        """Built once, as some read their parameters from files; `judge` resets it."""
        if bound.label not in self._built:
            self._built[bound.label] = bound.build()
            self._introduce(self._built[bound.label])
        return self._built[bound.label]

    def _introduce(self, taker: Any) -> None:
        """Tell the names of the source's classes to what wants to know them."""
        if "source" in self.experiment.parts:
            tell_labels(self.samples, [taker])

    def _ideal(self, sample: Sample, found: Judgement) -> Iterator[Score]:
        """What a perfect method would get from the metrics of images that need no ground truth."""
        outputs = {Data.IMAGE: as_picture(sample.target[Data.IMAGE])}
        for metric in self.metrics:
            if not metric.component.targets and Data.IMAGE in metric.component.consumes:
                yield self._score(GROUND_TRUTH, metric, outputs, sample, found)


def at_instant(sample: Sample, at: float | None) -> Sample:
    """The sample at another instant, where given: what is known of its own then says nothing."""
    return sample if at is None or at == sample.instant else attrs.evolve(sample, at=at, delay=0.0, target={})


def timed(sample: Sample, pipeline: Pipeline, calls: int = CALLS) -> tuple[Outputs, dict[str, float]]:
    """The results of a method at the sample's instant, and what they cost: median time in ms, memory in MB."""
    outputs = pipeline.outputs(sample)  # the first call compiles, allocates and reads the file
    spent = []
    with peak_of(pipeline.run.device) as peak:
        for _ in range(calls):
            began = perf_counter()
            outputs = pipeline.outputs(sample)
            spent.append(1000 * (perf_counter() - began))
        memory = peak()
    return outputs, {TIME: float(np.median(spent)), MEMORY: memory}


def draw(found: Judgement, sample: Sample, path: Path) -> Path:
    """Write the pictures of all methods side by side, with the ground truth and error maps where it is known."""
    truth = sample.target.get(Data.IMAGE)
    return write_picture(comparison(found.pictures, None if truth is None else as_picture(truth)), path)


def as_picture(truth: NDArray[Any]) -> NDArray[Any]:
    """An image (C, H, W) as (H, W) or (H, W, C)."""
    return truth[0] if len(truth) == 1 else np.moveaxis(truth, 0, -1)


def _refuse_twins(bounds: Sequence[Bound]) -> None:
    labels = [bound.label for bound in bounds]
    twins = [label for label in labels if labels.count(label) > 1]
    if twins:
        raise UsageError(f"{twins[0]!r} is given twice")
