"""Weights used on recordings brighter than those they were made for."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from spikecore_plugin_ssml.config import NbsnConfig, Variant
from spikecore_plugin_ssml.guard import factors, local_rate, thinned
from spikecore_plugin_ssml.model import Nbsn

import spikecore as sc
from spikecore.testing import data

from .conftest import batch_of, enlivened, random_spikes


@pytest.mark.parametrize(("rate", "factor"), [(0.05, 1), (0.19, 1), (0.21, 2), (0.39, 2), (0.55, 3), (0.97, 5)])
def test_the_factor_brings_the_rate_below_the_limit(rate, factor):
    spikes = torch.from_numpy(data.constant_rate(rate, 400, (30, 40)).unpack()).float()[None]
    assert float(local_rate(spikes)) == pytest.approx(rate, abs=0.003)
    assert factors(spikes, 0.2).tolist() == [factor]


def test_a_bright_spot_counts_though_the_mean_is_low():
    spikes = torch.zeros(1, 41, 60, 60)
    spikes[..., 20:35, 20:35] = 1
    assert factors(spikes, 0.2).tolist() == [5]


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_every_kth_spike_of_each_pixel_is_kept(factor):
    spikes = random_spikes(60, 9, 11, rate=0.5)
    kept = thinned(spikes, factor)
    assert bool((kept <= spikes).all())
    for y, x in np.ndindex(9, 11):
        order = spikes[:, y, x].cumsum(0)[kept[:, y, x] > 0]
        assert (order.diff() == factor).all()
        assert abs(len(order) - float(spikes[:, y, x].sum()) / factor) < 1
    assert float(kept.mean()) == pytest.approx(0.5 / factor, rel=0.05)


def test_the_guard_thins_and_multiplies_each_item_by_its_own_factor():
    model = Nbsn(NbsnConfig(Variant.A, rate_limit=0.2)).eval()
    enlivened(model.network)
    dim, bright = random_spikes(41, 12, 16, rate=0.05), random_spikes(41, 12, 16, rate=0.9)
    with torch.no_grad(), pytest.warns(UserWarning, match=r"exceeds 0\.2 per frame.*every k-th spike is kept"):
        images = model(batch_of(dim, bright))["image"]
    factor = int(factors(bright[None], 0.2)[0])
    assert factor == 5
    with torch.no_grad():
        assert torch.allclose(images[0], model.network(dim[None])[0], atol=1e-5)
        assert torch.allclose(images[1], 5 * model.network(thinned(bright, 5)[None])[0], atol=1e-4)


def test_without_the_guard_a_warning_says_so():
    model = Nbsn(NbsnConfig(Variant.A, rate_limit=0.2, rate_guard=False)).eval()
    with pytest.warns(UserWarning, match="rate_guard = true"):
        model(batch_of(random_spikes(41, 8, 8, rate=0.9)))


def test_nothing_is_said_below_the_limit_or_without_one():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Nbsn(NbsnConfig(Variant.A, rate_limit=0.2)).eval()(batch_of(random_spikes(41, 8, 8, rate=0.02)))
        Nbsn(NbsnConfig(Variant.A)).eval()(batch_of(random_spikes(41, 8, 8, rate=0.9)))


def test_spikecvs_weights_are_usable_on_bright_scenes_with_the_guard(shared):
    """REDS scenes fire up to 0.6 spikes a frame; the weights are valid up to 0.2."""
    sample = sc.open_source(shared / "data" / "base" / "train", height=250, width=400)[0]
    weights = str(shared / "weights" / "nbsn_83000_simple.pth")
    scores = []
    for guard in (True, False):
        experiment = sc.compose(model={"use": "ssml/nbsn", "rate_guard": guard}, weights=weights, gain=1 / 0.6)
        scores.append(psnr_of(experiment, sample))
    assert scores[0] > 24.5
    assert scores[1] == pytest.approx(15.99, abs=0.01)


def psnr_of(experiment, sample):
    pipeline = sc.prepare(experiment)
    with pytest.warns(UserWarning, match=r"exceeds 0\.2 per frame"):
        image = pipeline.outputs(sample)["image"]
    return -10 * np.log10(np.mean((image - sample.target["image"][0]) ** 2))
