"""Scores of a model on the validation samples, whole pictures one by one, and pictures of the first few."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from spikecore import (
    Component,
    Data,
    Kind,
    Output,
    PluginHost,
    RunConfig,
    Sample,
    Score,
    TrainRun,
    UnknownComponent,
    UsageError,
    closest,
    collate,
    to_pictures,
    update,
)
from spikecore_plugin_train.config import LoopConfig, NoOptions
from spikecore_plugin_train.data import portable
from spikecore_plugin_train.pictures import Picture, drawn
from spikecore_plugin_train.step import Stepper


class Validation:
    """Judges a model by every metric of a run.

    Args:
        run: Validation samples and metrics.
        config: Which metric says what is best, and how many samples are drawn.

    Raises:
        UsageError: If the metric that says what is best is not among the metrics, or says of itself that neither more
            nor less is better.
    """

    def __init__(self, run: TrainRun, config: LoopConfig) -> None:
        self.source, self.metrics = run.validation, run.metrics if run.validation is not None else {}
        self.window, self.pictures, self.calibrate = run.model.window, config.pictures, config.calibrate
        self._components = {name: _component(run.host, name) for name in self.metrics}
        self.best = config.best or next((name for name, one in self.metrics.items() if _ranks(one)), "")
        if config.best and config.best not in self.metrics:
            raise UsageError(f"best = {config.best!r} is no metric of this run: {closest(config.best, self.metrics)}")
        if self.best and not _ranks(self.metrics[self.best]):
            raise UsageError(f"best = {self.best!r} does not say whether more or less of it is better")
        if config.patience and not self.best:
            raise UsageError(f"patience = {config.patience} needs [validation] and a [[metric]] to say what is better")

    @property
    def active(self) -> bool:
        """True if there is anything to judge by."""
        return bool(self.metrics)

    @property
    def higher(self) -> bool:
        """True if more of the best metric is better."""
        return bool(self.best and self.metrics[self.best].higher_is_better)

    @torch.no_grad()
    def scores(self, stepper: Stepper) -> tuple[dict[str, float], dict[str, Picture]]:
        """Scores by metric, and pictures by key; the model is left in evaluation mode."""
        assert self.source is not None  # else there are no metrics, and nobody asks
        for metric in self.metrics.values():
            metric.reset()
        pictures: dict[str, Picture] = {}
        stepper.model.eval()
        for index in range(len(self.source)):
            sample = self.source[index].around(self.window)
            batch = collate([portable(sample)]).to(stepper.group.device)
            shown = self._shown(stepper.forward(batch), sample)
            for name, metric in self.metrics.items():
                update(metric, self._components[name] or _undeclared(sample, shown), shown, sample)
            if index < self.pictures and (picture := drawn(shown, sample)) is not None:
                pictures[sample.key] = picture
        return {name: float(metric.compute()) for name, metric in self.metrics.items()}, pictures

    def _shown(self, output: Output, sample: Sample) -> dict[Data, NDArray[Any]]:
        """Results of the one sample as the runner shows them: clipped rate × gain.

        Without `calibrate` models learn the ground truth as it is, and their pictures are in its unit already.
        """
        results = {kind: output[kind][0].detach().float().cpu().numpy() for kind in Data if kind in output}
        return to_pictures(results, sample, RunConfig(gain=None if self.calibrate else 1.0))

    def recorded(self, scores: Mapping[str, float], method: str) -> list[Score]:
        """Scores of the whole run, as its observers are told."""
        return [self._recorded(name, value, method) for name, value in scores.items()]

    def _recorded(self, name: str, value: float, method: str) -> Score:
        higher = self.metrics[name].higher_is_better
        if math.isnan(value):
            return Score("", method, name, None, "the metric gave NaN", higher)
        return Score("", method, name, value, "", higher)


def _undeclared(sample: Sample, shown: Mapping[Data, NDArray[Any]]) -> Component:
    """Stands for a metric of no plugin: it is given whatever there is the truth of."""
    known = [kind for kind in shown if kind in sample.target or (kind is Data.LABEL and sample.label is not None)]
    return Component(
        Kind.METRIC,
        "undeclared",
        target="builtins:object",
        config=NoOptions,
        summary="of no plugin",
        consumes=known[:1],
        targets=known[:1],
    )


def _component(host: PluginHost, name: str) -> Component | None:
    try:
        return host.find(name.split()[0], "metric")  # a name may carry options: "iqa/psnr crop=4"
    except UnknownComponent:
        return None


def _ranks(metric: Any) -> bool:
    return metric.higher_is_better is not None
