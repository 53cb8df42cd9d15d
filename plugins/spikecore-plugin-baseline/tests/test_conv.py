"""The network is as stated, and its weights beat the classical methods on what they never saw."""

from __future__ import annotations

from importlib.resources import files

import attrs
import numpy as np
import pytest
import torch
from spikecore_plugin_baseline.config import ConvConfig
from spikecore_plugin_baseline.conv import Conv

import spikecore as sc
from spikecore import WeightsError, locate


def psnr(image, truth):
    return -10 * np.log10(np.mean((image - truth) ** 2))


def test_the_network_is_as_stated():
    network = Conv(ConvConfig()).network
    assert sum(p.numel() for p in network.parameters()) == 180_705
    assert sum(p.numel() for name, p in network.named_parameters() if name.endswith("weight")) == 180_432
    assert network(torch.zeros(2, 41, 9, 13)).shape == (2, 1, 9, 13)


def test_the_recipe_in_the_package_is_that_of_the_model():
    path = files("spikecore_plugin_baseline") / "generated.toml"
    assert list(sc.Experiment.from_file(path, sc.PluginHost.discover()).stages) == Conv(ConvConfig()).stages()


def test_samples_that_are_not_cut_are_refused():
    stream = sc.SpikeStream.from_frames(np.zeros((40, 8, 8), bool))
    with pytest.raises(sc.UsageError, match="takes 41 spike frames, got 40"):
        Conv(ConvConfig())(sc.collate([sc.Sample(key="s", spikes=stream)]).to("cpu"))


def test_weights_are_taken_by_name_or_file():
    host = sc.PluginHost.discover()
    stream = sc.SpikeStream.from_frames(np.random.default_rng(0).random((41, 9, 12)) < 0.3)
    path, _ = locate(host, host.find("baseline/conv"), "generated")
    images = [sc.reconstruct(stream, "baseline/conv", weights=weights) for weights in ("", "generated", path)]
    assert np.array_equal(images[0], images[1])
    assert np.array_equal(images[0], images[2])
    with pytest.raises(WeightsError, match="has no weights 'other' and there is no such file"):
        sc.reconstruct(stream, "baseline/conv", weights="other")


def test_held_out_scenes_are_better_than_by_counting_and_intervals():
    source = sc.PluginHost.discover().find("simulate/scenes")
    options = {"clips": 3, "length": 81, "height": 96, "width": 128, "seed": 777, "speed": [0.0, 0.4]}
    scenes = sc.PluginHost.discover().build(source, options)
    means = {}
    for method in ("baseline/conv", "classic/tfp", "classic/tfi"):
        images = [sc.reconstruct(scenes[n].spikes, method, at=scenes[n].at) for n in range(3)]
        means[method] = np.mean([psnr(image, scenes[n].target["image"][0]) for n, image in enumerate(images)])
    assert means["baseline/conv"] > means["classic/tfp"] + 3
    assert means["baseline/conv"] > means["classic/tfi"] + 3


def test_clips_it_never_saw_are_better_than_by_counting_and_intervals(shared):
    data = sc.open_source(shared / "data" / "base" / "train", height=250, width=400)
    for number in range(len(data)):
        sample = data[number]
        image = sc.reconstruct(sample.spikes, "baseline/conv", at=sample.at, gain=1 / 0.6)
        assert psnr(image, sample.target["image"][0]) > 28


def test_a_real_capture_is_smoother_than_by_intervals_and_keeps_its_brightness(shared):
    stream = sc.open(shared / "data" / "uhsr" / "04144_helicopter.npz")
    rate = stream.counts() / len(stream)
    image = sc.reconstruct(stream, "baseline/conv", gain=1.0)
    assert np.isfinite(image).all()
    assert abs(image.mean() - rate.mean()) < 0.5 * rate.mean()


def test_altered_weights_are_refused(monkeypatch):
    host = sc.PluginHost.discover()
    component = host.find("baseline/conv")
    wrong = attrs.evolve(component.weights[0], sha256="0" * 64)
    key = next(key for key in host._components if host._components[key] is component)
    monkeypatch.setitem(host._components, key, attrs.evolve(component, weights=(wrong,)))
    stream = sc.SpikeStream.from_frames(np.zeros((41, 8, 8), bool))
    with pytest.raises(WeightsError, match="is not that of weights"):
        sc.reconstruct(stream, "baseline/conv", host=host)
