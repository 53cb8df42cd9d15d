"""What comes later fits: video from frames and spikes, depth from two event cameras, labels from spikes.

Tiny components on an empty host go from sample to batch to output; they are composed where they fit, refused where not.
"""

from __future__ import annotations

import attrs
import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from spikecore import Component, Experiment, Kind, PluginInfo, Sample, Window, collate, hookimpl
from spikecore.errors import CompositionError, UsageError, WeightsError
from spikecore.plugin.interfaces import LossTerms
from spikecore.runner.execute import execute
from spikecore.testing.data import Shape, sample

SHAPE = Shape(size=(13, 17), length=24, cameras=2, frames=5, classes=4)
ITEMS = 2


@attrs.frozen
class Nothing:
    """No options."""


class Items:
    """A source of two random samples."""

    carries = targets = ()

    def __init__(self, config):
        pass

    def __len__(self) -> int:
        return ITEMS

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < ITEMS:
            raise IndexError(index)
        return sample(self.carries, SHAPE, targets=self.targets, seed=index)


class Blurred(Items):
    carries = ("frames", "spikes")
    targets = ("video",)


class Stereo(Items):
    carries = ("events",)
    targets = ("depth",)


class Labelled(Items):
    carries = ("spikes", "text")
    targets = ("label",)


class Bare(Items):
    carries = ("spikes",)


class Deblur(nn.Module):
    """Each frame with the spikes of its exposure as a fourth channel, through a convolution."""

    window = Window()

    def __init__(self, config):
        super().__init__()
        self.network = nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, batch):
        length = batch.spikes.shape[1]
        frames = []
        for number in range(batch.frames.shape[1]):
            at = int(batch.frame_times[0, number])
            counts = batch.spikes.counts(max(at - 2, 0), min(at + 3, length)) / 5
            frames.append(self.network(torch.cat([batch.frames[:, number], counts], dim=1)))
        return {"video": torch.stack(frames, dim=1)}


class StereoDepth(nn.Module):
    """A leaky integrator over the events of both cameras, at rest at the start of each call."""

    window = Window()

    def __init__(self, config):
        super().__init__()
        self.network = nn.ModuleDict({"into": nn.Conv2d(4, 2, 3, padding=1), "out": nn.Conv2d(2, 1, 1)})

    def forward(self, batch):
        left, right = (camera.frames([0, 2_500, 5_000, 7_500, 10_000]) for camera in batch.events)
        potential = torch.zeros(())
        for step in range(left.shape[1]):
            current = self.network["into"](torch.cat([left[:, step], right[:, step]], dim=1))
            potential = 0.5 * potential + current
        return {"depth": nn.functional.softplus(self.network["out"](potential)), "potential": potential}


class Classify(nn.Module):
    """Mean rates of the quarters of the picture, through a linear layer."""

    window = Window.centred(16)

    def __init__(self, config):
        super().__init__()
        self.network = nn.Linear(4, SHAPE.classes)

    def forward(self, batch):
        mean = batch.spikes.tensor().mean(1, keepdim=True)
        return {"label": self.network(nn.functional.adaptive_avg_pool2d(mean, 2).flatten(1))}


class VideoLoss(nn.Module):
    """Mean absolute error."""

    def __init__(self, config):
        super().__init__()

    def forward(self, output, batch):
        return LossTerms((output["video"] - batch.target["video"]).abs().mean())


class DepthLoss(VideoLoss):
    """Mean absolute error where depth is known."""

    def forward(self, output, batch):
        known = ~batch.target["depth"].isnan()
        return LossTerms((output["depth"][known] - batch.target["depth"][known]).abs().mean())


class LabelLoss(VideoLoss):
    """Cross entropy."""

    def forward(self, output, batch):
        return LossTerms(nn.functional.cross_entropy(output["label"], batch.label))


def offer(kind, target, **data):
    name = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in target).lstrip("-")
    return Component(kind, name, target=f"{__name__}:{target}", config=Nothing, summary=name, **data)


class Later:
    """The plugin that offers them."""

    @hookimpl
    def spikecore_info(self):
        return PluginInfo("what comes later")

    @hookimpl
    def spikecore_components(self):
        for source in (Blurred, Stereo, Labelled, Bare):
            yield offer(Kind.SOURCE, source.__name__, produces=source.carries, targets=source.targets)
        yield offer(Kind.MODEL, "Deblur", consumes=("frames", "spikes"), produces=("video",))
        yield offer(Kind.MODEL, "StereoDepth", consumes=("events",), produces=("depth",))
        yield offer(Kind.MODEL, "Classify", consumes=("spikes",), produces=("label",))
        for kind in ("video", "depth", "label"):
            yield offer(Kind.LOSS, f"{kind.title()}Loss", consumes=(kind,), targets=(kind,))
        for kind in ("video", "depth", "label", "image"):
            yield offer(Kind.METRIC, f"{kind.title()}Score", consumes=(kind,), targets=(kind,))
        yield offer(Kind.METRIC, "Sharpness", consumes=("video",))


@pytest.fixture
def later(plugin_host):
    plugin_host.register(Later(), "later")
    return plugin_host


def composed(host, source, model, *, loss=None, metric=None):
    table = {"source": {"use": f"later/{source}"}, "model": {"use": f"later/{model}"}}
    table |= {"loss": [{"use": f"later/{loss}"}]} if loss else {}
    table |= {"metric": [{"use": f"later/{metric}"}]} if metric else {}
    return Experiment.from_dict(table, host)


FITTING = {
    "video": ("blurred", "deblur", (ITEMS, 5, 3, 13, 17)),
    "depth": ("stereo", "stereo-depth", (ITEMS, 1, 13, 17)),
    "label": ("labelled", "classify", (ITEMS, 4)),
}


@pytest.fixture(params=FITTING)
def fitting(request, later):
    """Kind and shape of the output, the model, its batch, and its loss."""
    source, model, shape = FITTING[request.param]
    experiment = composed(later, source, model, loss=f"{request.param}-loss", metric=f"{request.param}-score")
    built = {role: experiment.parts[role].build() for role in ("source", "model", "loss.0")}
    batch = collate([one.around(built["model"].window) for one in built["source"]]).to("cpu")
    return request.param, shape, built["model"], batch, built["loss.0"]


def test_samples_become_outputs(fitting):
    kind, shape, model, batch, _ = fitting
    output = model(batch)
    assert tuple(output[kind].shape) == shape
    assert output[kind].dtype == torch.float32
    assert output[kind].isfinite().all()


def test_losses_train_every_parameter(fitting):
    _, _, model, batch, loss = fitting
    total = loss(model(batch), batch).total
    total.backward()
    assert total.isfinite()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())


def test_calls_do_not_depend_on_each_other(fitting):
    kind, _, model, batch, _ = fitting
    with torch.no_grad():
        assert torch.equal(model(batch)[kind], model(batch)[kind])


def test_batches_carry_all_there_is():
    blurred, stereo, labelled = (collate(list(source(Nothing()))).to("cpu") for source in (Blurred, Stereo, Labelled))
    assert blurred.frames.shape == blurred.target["video"].shape == (ITEMS, 5, 3, 13, 17)
    assert blurred.frame_times.shape == (ITEMS, 5)
    assert blurred.spikes.shape == (ITEMS, 24, 13, 17)
    assert [len(camera) for camera in stereo.events] == [ITEMS, ITEMS]
    assert stereo.target["depth"].isnan().any()
    assert labelled.label.tolist() == [0, 1]
    assert labelled.text == ("sample 0", "sample 1")


MISFITS = {
    "later/stereo-depth needs events, but later/bare yields spikes": ("bare", "stereo-depth", {}),
    "later/deblur needs frames, but later/labelled yields spikes, text": ("labelled", "deblur", {}),
    "later/image-score needs image, but later/stereo-depth produces depth": (
        "stereo",
        "stereo-depth",
        {"metric": "image-score"},
    ),
    "later/depth-loss needs depth, but later/deblur produces video": ("blurred", "deblur", {"loss": "depth-loss"}),
    "later/label-score needs label, but later/bare has ground truth of kind nothing": (
        "bare",
        "classify",
        {"metric": "label-score"},
    ),
}


@pytest.mark.parametrize("message", MISFITS)
def test_misfits_are_refused_with_both_ids(later, message):
    source, model, judges = MISFITS[message]
    with pytest.raises(CompositionError) as refusal:
        composed(later, source, model, **judges)
    assert str(refusal.value).startswith(message)


def test_metrics_without_ground_truth_need_none(later):
    assert composed(later, "blurred", "deblur", metric="sharpness").many("metric")


@pytest.mark.parametrize(
    ("kind", "run", "suffix", "shape"),
    [
        ("video", {"tile": 9, "overlap": 3, "tile_frames": 3, "overlap_frames": 1}, ".npy", (5, 13, 17, 3)),
        ("video", {}, ".mp4", None),
        ("depth", {}, ".npy", (1, 1, 13, 17)),
        ("label", {"batch": 3}, ".npy", (9, SHAPE.classes)),
    ],
)
def test_the_runner_takes_them_into_files(later, tmp_path, kind, run, suffix, shape):
    source, model, _ = FITTING[kind]
    network = composed(later, source, model).parts["model"].build().network
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    table = composed(later, source, model).dump()
    table["run"] |= {**run, "weights": str(tmp_path / "net.safetensors"), "output": str(tmp_path / f"out{suffix}")}
    summary = execute(Experiment.from_dict(table, later))
    assert [path.suffix for path in summary.outputs] == [suffix] * ITEMS
    for path in summary.outputs:
        if shape is None:
            assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT) == 5
        else:
            assert np.load(path, allow_pickle=False).shape == shape
            assert np.isfinite(np.load(path)).all()


def test_what_is_no_picture_is_not_written_as_one(later, tmp_path):
    source, model, _ = FITTING["label"]
    network = composed(later, source, model).parts["model"].build().network
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    table = composed(later, source, model).dump()
    table["run"] |= {"weights": str(tmp_path / "net.safetensors"), "output": str(tmp_path / "out.mp4")}
    with pytest.raises(UsageError, match="no pictures"):
        execute(Experiment.from_dict(table, later))


def test_a_model_without_weights_is_refused_rather_than_run_at_random(later, tmp_path):
    source, model, _ = FITTING["depth"]
    table = composed(later, source, model).dump()
    table["run"]["output"] = str(tmp_path / "out.npy")
    with pytest.raises(WeightsError, match="needs trained weights"):
        execute(Experiment.from_dict(table, later))
