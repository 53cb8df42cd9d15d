"""One result judged by one metric: of the kind that the metric consumes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.errors import MissingTruth, UsageError
from spikecore.plugin.component import Component
from spikecore.plugin.interfaces import Metric
from spikecore.runner.picture import Array


def judge(metric: Metric, component: Component, outputs: Mapping[Data, Array], sample: Sample) -> float:
    """What a metric says of a method's results on one sample.

    Args:
        metric: Is reset first.
        component: What the metric is; it is given the kind of result that it consumes.
        outputs: By kind: pictures (H, W) or (H, W, C) in [0, 1], videos (D, H, W[, C]), others without the batch
            dimension, as `Pipeline.outputs` gives them.
        sample: For the ground truth.

    Raises:
        MissingTruth: If the sample lacks the ground truth that the metric needs.
        UsageError: If there is no result of a kind that the metric consumes.
        SpikecoreError: If the metric cannot judge this, or lacks a file.
    """
    metric.reset()
    update(metric, component, outputs, sample)
    return float(metric.compute())


def update(metric: Metric, component: Component, outputs: Mapping[Data, Array], sample: Sample) -> None:
    """Let a metric take in one sample; arguments and errors as `judge`."""
    kind = judged_kind(component, outputs)
    preds = _tensor(outputs[kind], kind)
    targets = [one for one in Data if one in component.targets]
    wanted = kind if kind in targets else next(iter(targets), None)
    target = preds if wanted is None else truth_of(sample, wanted, component)
    metric.update(preds[None], target[None])


def judged_kind(component: Component, outputs: Mapping[Data, Array]) -> Data:
    """The kind of result that a metric is given.

    Raises:
        UsageError: If there is none that it consumes.
    """
    kind = next((kind for kind in Data if kind in component.consumes and kind in outputs), None)
    if kind is None:
        judged, given = ", ".join(sorted(component.consumes)), ", ".join(sorted(outputs)) or "nothing"
        raise UsageError(f"{component.id} judges results of kind {judged or 'none'}; there are {given}")
    return kind


def _tensor(value: Array, kind: Data) -> torch.Tensor:
    preds = torch.from_numpy(np.array(value))
    if kind is Data.IMAGE:
        return preds[None] if preds.ndim == 2 else preds.movedim(-1, 0)
    if kind is Data.VIDEO:
        return preds[:, None] if preds.ndim == 3 else preds.movedim(-1, 1)
    return preds


def truth_of(sample: Sample, kind: Data, component: Component) -> torch.Tensor:
    """The ground truth of a kind, without the batch dimension."""
    if kind is Data.LABEL and sample.label is not None:
        return torch.tensor(sample.label)
    if kind not in sample.target:
        hint = "a metric without ground truth, or name its picture (--truth, or image and at of the source)"
        raise MissingTruth(f"{component.id} needs ground truth of kind {kind}, which {sample.key} lacks\n  try: {hint}")
    return torch.from_numpy(np.array(sample.target[kind]))
