"""Results judged by metrics: each is given the kind that it consumes."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import torch

from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.errors import MissingTruth, UsageError
from spikecore.plugin.component import Component
from spikecore.runner.judge import judge, judged_kind, update


@attrs.frozen
class Nothing:
    """No options."""


class Shapes:
    """Notes the shapes that it is given; its score is the mean of the predictions."""

    higher_is_better = None

    def __init__(self):
        self.reset()

    def update(self, preds, target, /):
        self.given.append((tuple(preds.shape), tuple(target.shape)))
        self.values.append(preds.mean())

    def compute(self):
        return torch.stack(self.values).mean()

    def reset(self):
        self.given, self.values = [], []


def metric(*consumes, targets=()):
    return Component("metric", "fake", "no.where:Fake", Nothing, "a fake", consumes, targets=targets, plugin="fake")


SAMPLE = Sample(
    key="clip",
    target={"image": np.zeros((1, 6, 8)), "depth": np.ones((1, 6, 8)), "video": np.zeros((5, 3, 6, 8))},
    label=3,
)
OUTPUTS = {
    Data.IMAGE: np.full((6, 8), 0.25, np.float32),
    Data.DEPTH: np.full((1, 6, 8), 7.0, np.float32),
    Data.VIDEO: np.full((5, 6, 8, 3), 0.5, np.float32),
    Data.LABEL: np.zeros(10, np.float32),
}


@pytest.mark.parametrize(
    ("kind", "value", "shapes"),
    [
        ("image", 0.25, ((1, 1, 6, 8), (1, 1, 6, 8))),
        ("depth", 7.0, ((1, 1, 6, 8), (1, 1, 6, 8))),
        ("video", 0.5, ((1, 5, 3, 6, 8), (1, 5, 3, 6, 8))),
        ("label", 0.0, ((1, 10), (1,))),
    ],
)
def test_a_metric_is_given_the_kind_that_it_consumes(kind, value, shapes):
    judged = Shapes()
    assert judge(judged, metric(kind, targets=(kind,)), OUTPUTS, SAMPLE) == value
    assert judged.given == [shapes]


def test_colours_and_grey_videos_have_their_channels():
    judged = Shapes()
    update(judged, metric("image"), {Data.IMAGE: np.zeros((6, 8, 3), np.float32)}, SAMPLE)
    update(judged, metric("video"), {Data.VIDEO: np.zeros((5, 6, 8), np.float32)}, SAMPLE)
    assert [preds for preds, _ in judged.given] == [(1, 3, 6, 8), (1, 5, 1, 6, 8)]


def test_judging_begins_anew_and_updating_goes_on():
    judged, what = Shapes(), metric("image")
    judge(judged, what, OUTPUTS, SAMPLE)
    judge(judged, what, OUTPUTS, SAMPLE)
    assert len(judged.given) == 1
    update(judged, what, OUTPUTS, SAMPLE)
    assert len(judged.given) == 2


def test_metrics_without_ground_truth_are_given_the_result_itself():
    judged = Shapes()
    assert judge(judged, metric("image"), OUTPUTS, Sample(key="bare")) == 0.25


def test_what_cannot_be_judged_says_why():
    with pytest.raises(MissingTruth, match=r"fake/fake needs ground truth of kind depth, which bare lacks\n  try: "):
        judge(Shapes(), metric("depth", targets=("depth",)), OUTPUTS, Sample(key="bare"))
    with pytest.raises(UsageError, match="fake/fake judges results of kind depth; there are image"):
        judged_kind(metric("depth"), {Data.IMAGE: OUTPUTS[Data.IMAGE]})
