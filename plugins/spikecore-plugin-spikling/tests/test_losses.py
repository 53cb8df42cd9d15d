"""Losses are the original's, and 100·L2 + VGG trains as it does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from spikecore_plugin_spikling.losses import network_units
from spikecore_plugin_spikling.network import SemiUnet
from spikecore_plugin_spikling.semi_unet import grey_levels
from spikecore_plugin_spikling.vgg import distance, load_features
from torch import nn

from spikecore import Batch, MissingTruth, UsageError, WeightsError


def judged(loss, image, truth):
    return loss.forward({"image": image}, Batch(keys=("a",), target={"image": truth})).total


def plain_vgg(path):
    """VGG19 up to relu3_3, layer by layer."""
    held = torch.load(path, weights_only=True)

    def features(x):
        for number in (0, 2, 5, 7, 10, 12, 14):
            x = nn.functional.conv2d(x, held[f"features.{number}.weight"], held[f"features.{number}.bias"], padding=1)
            x = nn.functional.relu(x)
            x = nn.functional.max_pool2d(x, 2) if number in (2, 7) else x
        return x

    return features


def test_vgg_is_the_originals(golden):
    network = load_features(golden / "vgg19-conv_random.pth", download=False)
    with np.load(golden / "vggloss_io.npz") as held:
        real, fake = torch.from_numpy(held["real"]), torch.from_numpy(held["fake"])
        assert float(distance(network, fake, real)) == pytest.approx(float(held["loss"]), abs=1e-5)


def test_units(build):
    """Output and truth reach the losses as the network's y and tag / 128 - 1."""
    level = torch.arange(0.0, 256).reshape(1, 1, 16, 16)
    y = torch.linspace(-1, 1, 256).reshape(1, 1, 16, 16)
    truth = level / 128 - 1
    torch.testing.assert_close(network_units(level / 255), truth)
    exact = nn.functional.mse_loss(y, truth)
    torch.testing.assert_close(judged(build("l2", compat=True), grey_levels(y) / 255, level / 255), exact)
    assert judged(build("l2"), level / 255, level / 255) == 0


def test_three_steps_are_those_of_the_documented_training(build, vgg_file):
    """100·MSE + VGG, Adam 2e-4 (0.5, 0.999): engine units and options against a bare loop."""
    torch.manual_seed(0)
    ours = build("semi-unet", arithmetic="float32").train()
    theirs = SemiUnet()
    theirs.load_state_dict(ours.network.state_dict())
    x = (torch.rand(2, 32, 16, 16) < 0.3).float()
    tag = torch.randint(0, 256, (2, 1, 16, 16)).float()
    features, l2 = plain_vgg(vgg_file), build("l2", compat=True)
    vgg = build("vgg", weights=str(vgg_file), compat=True)
    optimisers = [torch.optim.Adam(one.parameters(), 2e-4, (0.5, 0.999)) for one in (ours, theirs)]
    losses = []
    for _ in range(3):
        y = theirs(2 * x - 1)
        wanted = [nn.functional.mse_loss(y, tag / 128 - 1)]
        grey = [features(one.expand(-1, 3, -1, -1)) for one in (y, tag / 128 - 1)]
        wanted.append(nn.functional.mse_loss(*grey))
        image = grey_levels(ours.network(2 * x - 1)) / 255
        found = [judged(loss, image, tag / 255) for loss in (l2, vgg)]
        for one, other in zip(found, wanted, strict=True):
            assert one.item() == pytest.approx(other.item(), rel=1e-4)
        for optimiser, (a, b) in zip(optimisers, (found, wanted), strict=True):
            optimiser.zero_grad()
            (100 * a + b).backward()
            optimiser.step()
        losses.append(found[0].item())
    assert losses[2] < losses[1] < losses[0]


def test_total_variation(build):
    image = torch.zeros(1, 1, 2, 3)
    image[..., 0, 2] = 128 / 255
    assert float(judged(build("tv"), image, image)) == pytest.approx(2 * (1 / 3 + 1 / 4))
    assert float(judged(build("tv"), torch.ones(1, 1, 1, 1), image)) == 0


def test_vgg_reads_torchvisions_whole_network(build, vgg_file, tmp_path):
    held = torch.load(vgg_file, weights_only=True)
    whole = {**held, "features.16.weight": torch.zeros(1), "classifier.0.bias": torch.zeros(1)}
    torch.save(whole, tmp_path / "vgg19.pth")
    image, truth = torch.rand(2, 1, 1, 12, 12)
    one, two = (build("vgg", weights=str(path)) for path in (vgg_file, tmp_path / "vgg19.pth"))
    assert torch.equal(judged(one, image, truth), judged(two, image, truth))
    assert not any(parameter.requires_grad for parameter in one.parameters())


def test_vgg_without_weights_says_what_to_do(build, vgg_file, tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match="not shipped\n  try: weights=FILE"):
        build("vgg")
    with pytest.raises(WeightsError, match="no such file"):
        build("vgg", weights=str(tmp_path / "none.pth"))
    held = torch.load(vgg_file, weights_only=True)
    held["features.3.weight"] = held.pop("features.2.weight")
    torch.save(held, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"missing features.2.weight; unexpected features.3.weight"):
        build("vgg", weights=str(tmp_path / "odd.pth"))
    monkeypatch.setitem(__import__("sys").modules, "torchvision.models", None)
    with pytest.raises(WeightsError, match="pip install torchvision"):
        build("vgg", download=True)


def test_what_cannot_be_judged_is_said(build):
    image = torch.rand(1, 1, 4, 4)
    with pytest.raises(UsageError, match="the model gave depth"):
        build("l2").forward({"depth": image}, Batch(keys=("a",), target={"image": image}))
    with pytest.raises(MissingTruth, match="which a lack"):
        build("l2").forward({"image": image}, Batch(keys=("a",)))
    with pytest.raises(UsageError, match="differ in shape"):
        judged(build("l2"), image, image[..., :3])
    with pytest.raises(UsageError, match="judges images"):
        build("tv").forward({}, Batch(keys=("a",)))
