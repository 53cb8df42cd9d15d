"""Scores of a model on the validation samples, whole pictures one by one, and pictures of the first few."""

from __future__ import annotations

from typing import Any

import torch

from spikecore import Batch, Component, PluginHost, Sample, UsageError, collate
from spikecore.component import Data
from spikecore.errors import UnknownComponent, closest
from spikecore.interfaces import Metric, Output, TrainRun
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.data import portable
from spikecore_plugin_train.pictures import Picture, drawn
from spikecore_plugin_train.step import Stepper

_RATES = (Data.IMAGE, Data.VIDEO)


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
            output = intensities(stepper.forward(batch), sample, self.calibrate)
            for name, metric in self.metrics.items():
                self._update(name, metric, output, batch)
            if index < self.pictures and (picture := drawn(output, batch)) is not None:
                pictures[sample.key] = picture
        return {name: float(metric.compute()) for name, metric in self.metrics.items()}, pictures

    def _update(self, name: str, metric: Metric, output: Output, batch: Batch) -> None:
        component = self._components[name]
        judged = component.consumes if component is not None else frozenset(batch.target)
        kind = next((kind for kind in Data if kind in output and kind in judged), None)
        if kind is None:
            raise UsageError(f"{name} judges {', '.join(sorted(judged))}; the model gave {', '.join(sorted(output))}")
        prediction = output[kind].cpu()
        truth = batch.label if kind is Data.LABEL else batch.target.get(kind)
        if truth is None:
            if component is None or component.targets:
                raise UsageError(f"{name} needs ground truth of kind {kind}, which {batch.keys[0]} lacks")
            truth = prediction
        metric.update(prediction, truth.cpu())


def intensities(output: Output, sample: Sample, calibrate: bool) -> dict[str, torch.Tensor]:
    """Pictures in spikes per frame as intensities in [0, 1], as the runner shows them: clipped rate × gain.

    Without `calibrate` models learn the ground truth as it is, and their pictures are in its unit already.
    """
    gain = 1.0
    if calibrate and sample.spikes is not None and sample.frames is None:
        gain = sample.spikes.gain or 1.0
    return {kind: (value * gain).clamp(0, 1) if kind in _RATES else value for kind, value in output.items()}


def _component(host: PluginHost, name: str) -> Component | None:
    try:
        return host.find(name.split()[0], "metric")  # a name may carry options: "iqa/psnr crop=4"
    except UnknownComponent:
        return None


def _ranks(metric: Any) -> bool:
    return metric.higher_is_better is not None
