"""A model becomes a reconstructor."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from spikecore.data.batch import collate
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample, Window
from spikecore.data.spikes import SpikeStream
from spikecore.errors import Interrupted, PluginError, UsageError
from spikecore.experiment.run_config import RunConfig
from spikecore.runner.method import ModelReconstructor
from spikecore.runner.prepare import Pipeline

from .models import Tiny, component, method_of, plain


def tiny_batch(height=23, width=37):
    random = np.random.default_rng(0)
    samples = [
        Sample(key=str(n), spikes=SpikeStream.from_frames(random.random((5, height, width)) < 0.4)) for n in range(2)
    ]
    return collate(samples).to("cpu")


def test_a_model_becomes_a_reconstructor():
    model = Tiny().train()
    result = ModelReconstructor(model, component("image"), RunConfig()).reconstruct(tiny_batch())["image"]
    assert result.shape == (2, 1, 23, 37)
    assert result.dtype == torch.float32
    assert not result.requires_grad
    assert not model.training


@pytest.mark.parametrize(("tile", "overlap"), [(16, 4), (8, 6), (64, 8), (23, 2)])
def test_tiles_blend_into_the_whole_picture(tile, overlap):
    model = Tiny()
    batch = tiny_batch()
    whole = ModelReconstructor(model, component("image"), RunConfig()).reconstruct(batch)["image"]
    tiled = ModelReconstructor(model, component("image"), RunConfig(tile=tile, overlap=overlap)).reconstruct(batch)[
        "image"
    ]
    assert tiled.shape == whole.shape
    inner = (..., slice(1, -1), slice(1, -1))
    worst = (tiled - whole).abs()[inner].max()
    assert worst < 0.5 * whole.abs().max()  # at seams the 3x3 window sees zeros; the ramp keeps their weight small
    local = nn.Conv2d(1, 1, 1, bias=False)
    model.network = local
    whole = ModelReconstructor(model, component("image"), RunConfig()).reconstruct(batch)["image"]
    tiled = ModelReconstructor(model, component("image"), RunConfig(tile=tile, overlap=overlap)).reconstruct(batch)[
        "image"
    ]
    assert torch.allclose(tiled, whole, atol=1e-6)


def test_reduced_precision_gives_float32_results():
    result = ModelReconstructor(Tiny(), component("image"), RunConfig(precision="bfloat16")).reconstruct(tiny_batch())[
        "image"
    ]
    assert result.dtype == torch.float32


# Methods that give several kinds.


class Both(nn.Module):
    """An image, and depth that is ten more."""

    window = Window.centred(5)

    def __init__(self):
        super().__init__()
        self.network = nn.Identity()

    def forward(self, batch):
        image = batch.spikes.tensor().mean(1, keepdim=True)
        return {"image": image, "depth": 10 + image, "activity/first": image.mean()}


def test_the_first_kind_is_what_is_wanted():
    assert method_of(Both(), "image", "depth").produces is Data.IMAGE
    assert method_of(Both(), "depth", "image").produces is Data.DEPTH
    assert method_of(Both(), "image", "depth", result="depth").produces is Data.DEPTH


def test_a_kind_that_is_not_given_is_refused_with_those_that_are():
    with pytest.raises(UsageError, match="fake/fake gives no result of kind 'deth': did you mean depth"):
        method_of(Both(), "image", "depth", result="deth")
    with pytest.raises(UsageError, match=r"fake/fake gives no result of kind 'video': .*known: depth, image"):
        method_of(Both(), "image", "depth", result="video")
    with pytest.raises(PluginError, match="fake/fake does not say what it produces"):
        method_of(Both())


def clip():
    return Sample(key="clip", spikes=SpikeStream.from_frames(np.random.default_rng(0).random((40, 12, 16)) < 0.4))


def test_all_kinds_are_had_at_once():
    sample = clip()
    outputs = Pipeline(method_of(Both(), "image", "depth")).outputs(sample, 20)
    assert {kind: value.shape for kind, value in outputs.items()} == {"image": (12, 16), "depth": (1, 12, 16)}
    assert np.allclose(outputs["image"], sample.spikes[18:23].unpack().mean(0), atol=1e-6)
    assert np.allclose(outputs["depth"][0], outputs["image"] + 10, atol=1e-5)
    tiled = Pipeline(method_of(Both(), "image", "depth", tile=7, overlap=3)).outputs(sample, 20)
    assert all(np.allclose(tiled[kind], outputs[kind], atol=1e-5) for kind in outputs)


def test_only_the_wanted_kind_makes_a_video():
    images = dict(Pipeline(method_of(Both(), "image", "depth")).stream(clip(), [20, 21]))
    depths = dict(Pipeline(method_of(Both(), "image", "depth", result="depth")).stream(clip(), [20, 21]))
    assert [value.shape for value in images.values()] == [(12, 16)] * 2
    assert [value.shape for value in depths.values()] == [(1, 12, 16)] * 2
    with pytest.raises(UsageError, match="fake/fake produces depth, not an image"):
        Pipeline(method_of(Both(), "image", "depth", result="depth")).image(clip().spikes)


# Progress.


@pytest.mark.parametrize(
    ("run", "pieces"), [({}, 8), ({"batch": 3}, 8), ({"batch": 3, "tile": 7, "overlap": 3}, 8 * 12)]
)
@pytest.mark.parametrize("model", [True, False])
def test_progress_counts_tiles_of_instants(run, pieces, model):
    whole = SimpleNamespace(window=Window.centred(5), reconstruct=lambda batch: Both()(batch)["image"])
    method = method_of(Both(), "image", **run) if model else plain(whole, "image", **run)
    pieces, told = pieces if model else 8, []
    assert len(list(Pipeline(method).stream(clip(), range(10, 18), lambda *one: told.append(one)))) == 8
    assert told[-1] == (pieces, pieces)
    assert [done for done, _ in told] == list(range(1, pieces + 1))


def test_progress_of_one_result_counts_its_tiles_and_cancels_it():
    told = []
    made = Pipeline(method_of(Both(), "image", tile=7, overlap=3))
    made.outputs(clip(), 20, lambda *one: told.append(one))
    assert told == [(done, 12) for done in range(1, 13)]
    with pytest.raises(Interrupted, match="cancelled after 5 of 12 pieces"):
        made.outputs(clip(), 20, lambda done, total: done < 5)
