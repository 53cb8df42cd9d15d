"""Losses against their formulas, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_ssml.config import (
    DistillationConfig,
    FusionConfig,
    Label,
    MotionConfig,
    Norm,
    ReconstructionConfig,
    SmoothnessConfig,
)
from spikecore_plugin_ssml.flow import measured_flow
from spikecore_plugin_ssml.losses import Distillation, Fusion, Motion, Reconstruction, Smoothness, smoothness

import spikecore as sc

from .conftest import batch_of, random_spikes

BATCH = batch_of(*random_spikes(2, 41, 6, 7))


def pictures(*names: str) -> dict[str, torch.Tensor]:
    return {name: torch.rand((2, 1, 6, 7), generator=torch.Generator().manual_seed(n)) for n, name in enumerate(names)}


@pytest.mark.parametrize(
    ("kind", "formula"),
    [(Norm.L1, np.abs), (Norm.L2, np.square), (Norm.CHARBONNIER, lambda d: np.sqrt(d**2 + 1e-6))],
)
@pytest.mark.parametrize("label", [Label.TFI, Label.TFP])
def test_reconstruction_compares_with_the_label(kind, formula, label):
    output = pictures("bsn", "image", "tfi", "tfp")
    terms = Reconstruction(ReconstructionConfig(kind, label)).forward(output, BATCH)
    wanted = formula((output["bsn"] - output[label.value]).numpy()).mean()
    assert float(terms.total) == pytest.approx(wanted, rel=1e-5)
    assert terms.parts[label.value] is terms.total


def test_reconstruction_of_the_other_network_is_an_option():
    output = pictures("bsn", "nbsn", "tfi")
    total = Reconstruction(ReconstructionConfig(of="nbsn")).forward(output, BATCH).total
    assert float(total) == pytest.approx(float((output["nbsn"] - output["tfi"]).square().mean()))


def test_reconstruction_takes_the_image_of_a_model_of_one_network():
    output = pictures("image", "tfi")
    total = Reconstruction(ReconstructionConfig()).forward(output, BATCH).total
    assert float(total) == pytest.approx(float((output["image"] - output["tfi"]).square().mean()))


def test_masked_pixels_alone_count_where_there_is_a_mask():
    output = pictures("bsn", "tfi")
    output["mask"] = torch.zeros(2, 1, 6, 7, dtype=torch.bool)
    output["mask"][1, 0, 2, 3] = True
    total = Reconstruction(ReconstructionConfig()).forward(output, BATCH).total
    assert float(total) == pytest.approx(float((output["bsn"] - output["tfi"])[1, 0, 2, 3] ** 2))
    output["mask"][:] = False
    assert float(Reconstruction(ReconstructionConfig()).forward(output, BATCH).total) == 0


@pytest.mark.parametrize(("kind", "formula"), [(Norm.L2, np.square), (Norm.L1, np.abs)])
def test_mutual_compares_the_networks(kind, formula):
    output = pictures("image", "bsn")
    total = Distillation(DistillationConfig(kind)).forward(output, BATCH).total
    assert float(total) == pytest.approx(formula((output["image"] - output["bsn"]).numpy()).mean(), rel=1e-5)


@pytest.mark.parametrize("detach", [False, True])
def test_mutual_pulls_the_blind_network_unless_it_is_detached(detach):
    output = {name: value.requires_grad_() for name, value in pictures("image", "bsn").items()}
    Distillation(DistillationConfig(detach=detach)).forward(output, BATCH).total.backward()
    assert output["image"].grad is not None
    assert (output["bsn"].grad is None) == detach


def test_fusion_judges_prediction_and_gates_by_labels_of_their_own():
    pairs = (("bsn", "mixed"), ("fused", "tfp"))
    output = pictures("bsn", "fused", "mixed", "tfp")
    output = {name: value.requires_grad_(name in ("bsn", "fused")) for name, value in output.items()}
    total = Fusion(FusionConfig()).forward(output, BATCH).total
    wanted = sum(float((output[a] - output[b]).detach().square().mean()) for a, b in pairs)
    assert total.item() == pytest.approx(wanted, rel=1e-5)
    total.backward()
    assert all(bool(output[name].grad.any()) for name in ("bsn", "fused"))


@given(height=st.integers(1, 6), width=st.integers(1, 6), seed=st.integers(0, 20))
def test_smoothness_is_the_sum_of_mean_second_differences(height, width, seed):
    image = np.random.default_rng(seed).random((1, 1, height, width)).astype(np.float32)
    dx, dy = np.diff(image, axis=3), np.diff(image, axis=2)
    parts = [np.diff(dx, axis=3), np.diff(dx, axis=2), np.diff(dy, axis=3), np.diff(dy, axis=2)]
    wanted = sum(np.abs(part).mean() if part.size else 0 for part in parts)
    assert float(smoothness(torch.from_numpy(image))) == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_a_plane_is_smooth():
    plane = torch.arange(6.0)[:, None] * 2 + torch.arange(7.0) * 3
    total = Smoothness(SmoothnessConfig()).forward({"image": plane[None, None]}, BATCH).total
    assert float(total) == pytest.approx(0, abs=1e-5)


def waves(shift: float, size: int = 48) -> torch.Tensor:
    """A smooth picture of rates moved right by `shift` pixels and down by half of that."""
    y, x = torch.meshgrid(torch.arange(float(size)), torch.arange(float(size)), indexing="ij")
    x, y = x - shift, y - shift / 2
    return (0.4 + 0.15 * torch.sin(x / 2.5) + 0.15 * torch.cos(y / 3) + 0.05 * torch.sin((x + y) / 6))[None, None]


def test_flow_is_measured_where_there_is_texture():
    flow, confidence = measured_flow(waves(-0.4), waves(0.4), 4)
    inside = flow[..., 8:-8, 8:-8]
    assert float(inside[:, 0].median()) == pytest.approx(0.8, abs=0.1)
    assert float(inside[:, 1].median()) == pytest.approx(0.4, abs=0.1)
    assert 0 <= float(confidence.min()) <= float(confidence.max()) <= 1
    flat = torch.full_like(waves(0), 0.3)
    still, none = measured_flow(flat, flat, 4)
    assert float(still.abs().max()) == float(none.max()) == 0


def test_a_picture_that_agrees_with_the_motion_has_the_smaller_loss():
    rates = torch.cat([waves(0.15 * (t - 20)) for t in range(41)], dim=1)
    phase = torch.rand(rates.shape[-2:], generator=torch.Generator().manual_seed(0))
    spikes = ((rates.cumsum(1) + phase).floor().diff(dim=1, prepend=phase.floor().expand(1, 1, -1, -1)) > 0).float()
    batch = batch_of(*spikes)
    loss = Motion(MotionConfig(reach=14, radius=4))
    right = float(loss.forward({"image": waves(0)}, batch).total)
    assert right < 0.7 * float(loss.forward({"image": waves(0).flip(3)}, batch).total)
    assert right < 0.7 * float(loss.forward({"image": torch.zeros_like(waves(0))}, batch).total)


def test_motion_needs_frames_on_both_sides():
    with pytest.raises(sc.UsageError, match="needs 21 frames, got 15"):
        Motion(MotionConfig()).forward(pictures("image"), batch_of(*random_spikes(2, 15, 6, 7)))


@pytest.mark.parametrize("loss", [Reconstruction(ReconstructionConfig(of="bsn")), Distillation(DistillationConfig())])
def test_an_output_that_is_not_there_is_named(loss):
    with pytest.raises(sc.UsageError, match="needs the output 'bsn', the model gave image, tfi"):
        loss.forward(pictures("image", "tfi"), BATCH)
