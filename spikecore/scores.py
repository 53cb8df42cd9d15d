"""One result judged by one metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from spikecore.adapter import Method
from spikecore.component import Component, Data
from spikecore.errors import MissingTruth
from spikecore.runner import Array
from spikecore.sample import Sample

if TYPE_CHECKING:
    from spikecore.interfaces import Metric


def judge(metric: Metric, component: Component, picture: Array, sample: Sample, method: Method) -> float:
    """One result by one metric; pictures are (H, W) or (H, W, C) in [0, 1], videos (D, H, W[, C]).

    Raises:
        MissingTruth: If the sample lacks the ground truth that the metric needs.
        SpikecoreError: If the metric cannot judge this picture, or lacks a file.
    """
    preds = torch.from_numpy(np.array(picture))
    if method.produces is Data.IMAGE:
        preds = preds[None] if preds.ndim == 2 else preds.movedim(-1, 0)
    elif method.produces is Data.VIDEO:
        preds = preds[:, None] if preds.ndim == 3 else preds.movedim(-1, 1)
    kind = next((kind for kind in Data if kind in component.targets), None)
    target = preds if kind is None else truth_of(sample, kind, component)
    metric.reset()
    metric.update(preds[None], target[None])
    return float(metric.compute())


def truth_of(sample: Sample, kind: Data, component: Component) -> torch.Tensor:
    """The ground truth of a kind, without the batch dimension."""
    if kind is Data.LABEL and sample.label is not None:
        return torch.tensor(sample.label)
    if kind not in sample.target:
        hint = "a metric without ground truth, or name its picture (--truth, or image and at of the source)"
        raise MissingTruth(f"{component.id} needs ground truth of kind {kind}, which {sample.key} lacks\n  try: {hint}")
    return torch.from_numpy(np.array(sample.target[kind]))
