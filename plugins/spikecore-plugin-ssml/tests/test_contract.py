"""The components keep the promises of their interfaces."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch

import spikecore as sc
from spikecore.testing import LossContract, ModelContract, SourceContract


class TestNbsnA(ModelContract):
    component = "ssml/nbsn"
    options: ClassVar = {"variant": "a"}
    published = True


class TestNbsnE(ModelContract):
    component = "ssml/nbsn"
    published = True


class TestBsnE(ModelContract):
    component = "ssml/bsn"


class TestMutualE(ModelContract):
    component = "ssml/mutual"


class TestNbsnB(ModelContract):
    component = "ssml/nbsn"
    options: ClassVar = {"variant": "b"}
    sizes = ((8, 9), (9, 8))


class TestNbsnC(ModelContract):
    component = "ssml/nbsn"
    options: ClassVar = {"variant": "c"}
    sizes = ((8, 9), (9, 8))


class TestBsnA(ModelContract):
    component = "ssml/bsn"
    options: ClassVar = {"variant": "a"}
    published = True
    sizes = ((8, 9), (9, 8))


class TestBsnB(ModelContract):
    component = "ssml/bsn"
    options: ClassVar = {"variant": "b"}
    sizes = ((8, 9), (9, 8))
    without_gradient = ("network.MotionInference.ChannelGate.*", "network.MotionInference.SpatialGate.*")


class TestMutualA(ModelContract):
    component = "ssml/mutual"
    options: ClassVar = {"variant": "a"}
    published = True
    sizes = ((8, 9), (9, 8))


class TestMutualC(ModelContract):
    component = "ssml/mutual"
    options: ClassVar = {"variant": "c"}
    sizes = ((8, 9), (9, 8))
    without_gradient = ("network.bsn.MotionInference.ChannelGate.*", "network.bsn.MotionInference.SpatialGate.*")


class OwnOutput:
    """What ssml/mutual gives."""

    def output(self, entry):
        random = torch.Generator().manual_seed(5)
        return {
            name: torch.rand((2, 1, *self.size), generator=random)
            for name in ("image", "bsn", "nbsn", "fused", "mixed", "tfi", "tfp")
        }


class TestReconstruction(OwnOutput, LossContract):
    component = "ssml/reconstruction"
    options: ClassVar = {"of": "image"}  # by default it scores an extra output, "bsn"


class TestDistillation(OwnOutput, LossContract):
    component = "ssml/mutual"


class TestFusion(OwnOutput, LossContract):
    component = "ssml/fusion"

    @pytest.mark.xfail(reason="it scores outputs of the blind network, not the image")
    def test_gradient_reaches_the_output(self, built, entry):
        super().test_gradient_reaches_the_output(built, entry)

    def test_gradient_reaches_what_it_scores(self, built, entry):
        output = {name: value.requires_grad_() for name, value in self.output(entry).items()}
        built.forward(output, self.batch(entry)).total.backward()
        assert {name for name, value in output.items() if value.grad is not None and value.grad.any()} == {
            "bsn", "fused", "mixed", "tfp",
        }  # fmt: skip


class TestMotion(OwnOutput, LossContract):
    component = "ssml/motion"


class TestSmoothness(OwnOutput, LossContract):
    component = "ssml/smoothness"


class TestInstants(SourceContract):
    component = "ssml/instants"

    @pytest.fixture
    def settings(self, tmp_path):
        path = tmp_path / "own.npy"
        np.save(path, np.random.default_rng(0).random((60, 20, 24)) < 0.3)
        return {"path": str(path), "clips": 5}


def test_instants_are_drawn_from_the_whole_recording(tmp_path):
    frames = np.zeros((60, 8, 8), bool)
    frames[np.arange(60), 0] = (np.arange(60)[:, None] >> np.arange(8)) & 1  # the first row counts the frames
    np.save(tmp_path / "own.npy", frames)
    host = sc.PluginHost.discover()
    source = host.build(host.find("ssml/instants"), {"path": str(tmp_path / "own.npy"), "clips": 200, "seed": 3})
    starts = [int(source[n].spikes[:1].unpack()[0, 0] @ (1 << np.arange(8))) for n in range(200)]
    assert set(starts) == set(range(20))
    sample = source[7]
    assert (len(sample.spikes), sample.at, sample.target) == (41, 20, {})
    assert sample.meta["instant"] == starts[7] + 20


def test_ground_truth_of_a_recording_is_left_out(shared):
    host = sc.PluginHost.discover()
    path = str(shared / "data" / "base" / "train")
    source = host.build(host.find("ssml/instants"), {"path": path, "height": 250, "width": 400, "clips": 4})
    assert [sample.target for sample in source] == [{}] * 4
    assert len({sample.meta["recording"] for sample in source}) == 2


def test_recordings_too_short_for_a_clip_are_refused(tmp_path):
    np.save(tmp_path / "own.npy", np.zeros((40, 8, 8), bool))
    host = sc.PluginHost.discover()
    with pytest.raises(sc.UsageError, match="has 40 frames; a clip needs 41"):
        host.build(host.find("ssml/instants"), {"path": str(tmp_path / "own.npy")})[0]
