"""Checkpoints of the original projects: recognised by their keys, taken apart, or refused by name."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from spikecore_plugin_ssml.config import Variant
from spikecore_plugin_ssml.importer import bsn, mutual, nbsn
from spikecore_plugin_ssml.variants import build_branch, build_double

import spikecore as sc
from spikecore import ConfigError, WeightsError

from .conftest import enlivened

IMPORTERS = {"nbsn": nbsn, "bsn": bsn}
HOST = sc.PluginHost.discover()


def state(network):
    return enlivened(network).state_dict()


@pytest.mark.parametrize("variant", ["a", "b", "c", "d", "e"])
@pytest.mark.parametrize("branch", ["nbsn", "bsn"])
def test_a_branch_is_picked_from_what_the_official_trainer_saves(variant, branch):
    both = build_double(Variant(variant))
    saved = {f"module.{key}": value for key, value in state(both).items()}
    imported = IMPORTERS[branch](saved)
    assert imported.options == {"variant": variant}
    model = HOST.build(HOST.find(f"ssml/{branch}", "model"), imported.options)
    model.network.load_state_dict(imported.tensors)
    own = getattr(both, branch).state_dict()
    assert all(torch.equal(value, own[key]) for key, value in model.network.state_dict().items())


@pytest.mark.parametrize("variant", ["a", "b", "c", "d", "e"])
def test_both_networks_are_imported_together(variant):
    tensors = state(build_double(Variant(variant)))
    imported = mutual({"state_dict": {f"module.{key}": value for key, value in tensors.items()}})
    assert imported.options == {"variant": variant}
    assert imported.tensors.keys() == tensors.keys()


@pytest.mark.parametrize(
    ("variant", "branch"), [("a", "nbsn"), ("a", "bsn"), ("b", "nbsn"), ("c", "nbsn"), ("d", "bsn"), ("e", "nbsn")]
)
def test_a_network_alone_is_recognised(variant, branch):
    alike = pytest.warns(UserWarning, match=f"make sure that this is {branch}")
    with alike if variant in "bd" else nullcontext():
        imported = IMPORTERS[branch](state(build_branch(Variant(variant), branch)))
    assert imported.options["variant"] == variant


def test_what_does_not_fit_is_said_to_be_what_it_is():
    with pytest.raises(WeightsError, match="holds nbsn of variant a, not the network bsn, as ssml/bsn needs"):
        bsn(state(build_branch(Variant.A, "nbsn")))
    with pytest.raises(WeightsError, match="holds nbsn of variant c, not both networks, as ssml/mutual needs"):
        mutual(state(build_branch(Variant.C, "nbsn")))
    with pytest.raises(WeightsError, match=r"of no SSML variant: 2 tensors \(weight, bias, …\)"):
        nbsn(torch.nn.Linear(2, 2).state_dict())


def test_half_a_network_is_of_no_variant():
    tensors = state(build_branch(Variant.A, "nbsn"))
    del tensors["enc3.conv2.conv.weight"]
    with pytest.raises(WeightsError, match="of no SSML variant: 16 tensors"):
        nbsn(tensors)


def test_nan_and_what_is_no_tensor_are_refused():
    tensors = state(build_branch(Variant.A, "nbsn"))
    with pytest.raises(WeightsError, match="entry 'epoch' is a int"):
        nbsn({**tensors, "epoch": 3})
    tensors["enc1.conv1.conv.weight"][0, 0, 0, 0] = torch.nan
    with pytest.raises(WeightsError, match=r"'enc1\.conv1\.conv\.weight' holds NaN"):
        nbsn(tensors)


def test_spikecvs_file_brings_its_options(shared):
    imported = nbsn(torch.load(shared / "weights" / "nbsn_83000_simple.pth", weights_only=True))
    assert imported.options == {"variant": "a", "rate_limit": 0.2}
    assert sum(value.numel() for value in imported.tensors.values()) == 904_176


def test_a_variant_that_contradicts_the_file_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    torch.save(state(build_branch(Variant.A, "nbsn")), path)
    experiment = sc.compose(model={"use": "ssml/nbsn", "variant": "c"})
    with pytest.raises(ConfigError, match=r"variant=c was given, but .* made with variant=a"):
        sc.prepare(experiment.method, host=experiment.host, weights=path)
