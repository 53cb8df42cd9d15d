"""Which weights a model uses, and the options they need."""

from __future__ import annotations

import json
from hashlib import sha256

import attrs
import pytest
import torch
from safetensors.torch import save_file

from spikecore.errors import ConfigError, WeightsError
from spikecore.experiment.experiment import Experiment
from spikecore.jobs.job import Job
from spikecore.plugin.bound import Bound
from spikecore.plugin.component import Weights
from spikecore.runner.inputs import recipe_of
from spikecore.runner.record import record
from spikecore.weights.files import write_weights
from spikecore.weights.find import locate
from spikecore.weights.load import import_weights, load_model
from spikecore.weights.settle import settled

from .nets import NetOptions, bind, foreign, settle, tensors_of, trained


def test_a_model_is_built_with_the_options_of_its_weights(nets):
    assert trained(nets).model.config.width == 2, "the first of the component's"
    assert trained(nets, weights="wide").model.config.width == 8
    assert trained(nets, weights="plain").model.config.width == 4
    assert trained(nets, weights="wide", gain=3.0).bound.config == NetOptions(8, 3.0)
    assert trained(nets, weights="wide", width=8).bound.config.width == 8
    assert torch.equal(trained(nets).model.network[0].bias, torch.full((2,), 0.5))


def test_without_a_name_the_first_weights_that_fit_what_was_given_are_taken(nets):
    _, wide = locate(nets, nets.find("net"), "wide")
    assert trained(nets, width=8).weights == wide
    assert trained(nets, width=4).model.config.width == 4, "weights that state no options fit all"


def test_weights_that_contradict_what_was_given_are_refused_with_both(nets):
    with pytest.raises(ConfigError, match=r"fake/net: width=4 was given, but weights 'wide' were made with width=8"):
        settle(nets, weights="wide", width=4)
    component = attrs.evolve(nets.find("net"), weights=nets.find("net").weights[:2])
    with pytest.raises(ConfigError, match=r"width=3 was given, but weights 'narrow'"):
        load_model(nets, Bound(component, NetOptions(width=3)))
    odd = attrs.evolve(component.weights[0], name="odd", options={"depth": 3})
    with pytest.raises(ConfigError, match=r"unknown option 'depth'.*options of weights 'odd'"):
        load_model(nets, Bound(attrs.evolve(component, weights=(odd,)), NetOptions()))


@pytest.mark.parametrize(("weights", "width"), [("", 2), ("wide", 8), ("plain", 4)])
def test_a_record_holds_the_options_of_the_weights_and_their_hash(nets, weights, width):
    experiment = settle(nets, weights=weights)
    recipe = json.loads(json.dumps(record(experiment)))
    assert recipe["experiment"]["model"]["width"] == width
    assert recipe["weights"] == {"fake/net": trained(nets, weights=weights).weights}
    again = Experiment.from_dict(recipe["experiment"], nets)
    assert again.dump() == experiment.dump()
    assert load_model(nets, again.parts["model"], weights).bound.config.width == width


def test_a_model_that_is_trained_anew_keeps_its_own_defaults(nets):
    experiment = bind(nets)
    parts = {"model": experiment.parts["model"].fixed()}
    recipe = record(attrs.evolve(experiment, parts=parts))
    assert recipe["experiment"]["model"]["width"] == 4
    assert recipe["weights"] == {}


def test_a_file_says_what_it_is_for(nets, tmp_path):
    path = tmp_path / "mine.safetensors"
    made = {"component": "fake/net", "options": {"width": 3, "gain": 2.0}, "training": "one step"}
    write_weights(path, tensors_of(3), made, scores={"psnr": 30.0})
    card = Weights(**json.loads(path.with_suffix(".json").read_text()))
    digest = sha256(path.read_bytes()).hexdigest()
    assert card == Weights("mine", digest, path.stat().st_size, "mine.safetensors", training="one step",
                           scores={"psnr": 30.0}, options=made["options"])  # fmt: skip
    assert trained(nets, weights=str(path)).bound.config == NetOptions(3, 2.0)
    with pytest.raises(ConfigError, match=r"gain=5.0 was given, but .*mine.safetensors were made with gain=2.0"):
        settle(nets, weights=str(path), gain=5.0)
    with pytest.raises(WeightsError, match="holds weights of fake/net, not of fake/bare"):
        trained(nets, "bare", str(path))


def test_a_file_may_have_any_name_but_that_of_declared_weights(nets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(foreign(5), "theirs")
    assert trained(nets, weights="theirs").bound.config.width == 5
    torch.save(foreign(5), "wide")
    assert trained(nets, weights="wide").bound.config.width == 8
    assert trained(nets, weights="./wide").bound.config.width == 5


def test_adjustable_options_may_differ_from_those_of_the_weights(nets, tmp_path):
    path = tmp_path / "mine.safetensors"
    write_weights(
        path, tensors_of(3), {"component": "fake/net", "options": {"width": 3, "speed": 2}, "training": "one step"}
    )
    assert trained(nets, weights=str(path)).bound.config == NetOptions(3, speed=2)
    assert trained(nets, weights=str(path), speed=5).bound.config == NetOptions(3, speed=5)
    assert settle(nets, weights=str(path), speed=5).parts["model"].config == NetOptions(3, speed=5)
    again = Experiment.from_dict(settle(nets, weights=str(path), speed=5).dump(), nets)
    assert again.parts["model"].config.speed == 5


def test_what_is_kept_under_a_name_anew_makes_another_job(nets, tmp_path):
    fingerprints = []
    for number in range(2):
        save_file(tensors_of(4, float(number)), tmp_path / "theirs.safetensors")
        import_weights(nets, nets.find("bare"), tmp_path / "theirs.safetensors", "mine")
        experiment = settle(nets, "bare", "mine")
        fingerprints.append(Job.of("a.module:Action", experiment, record(experiment), tmp_path).fingerprint)
    assert fingerprints[0] != fingerprints[1]


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"component": "fake/net", "options": 3}'])
def test_a_file_that_says_nonsense_is_refused(nets, tmp_path, text):
    path = tmp_path / "odd.safetensors"
    save_file(tensors_of(4), path, metadata={"spikecore": text})
    with pytest.raises(WeightsError, match=r"odd.safetensors is not a plain weights file"):
        trained(nets, weights=str(path))


def test_a_run_that_is_repeated_uses_the_weights_of_then(nets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = {"component": "fake/net", "options": {"width": 4}, "training": ""}
    write_weights(tmp_path / "mine.safetensors", tensors_of(4), made)
    first = settle(nets, weights="mine.safetensors")
    (tmp_path / "run.json").write_text(json.dumps(recipe_of(first, tmp_path / "out.npy")))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = settled(Experiment.from_file(tmp_path / "run.json", nets))
    assert again.parts["model"].weights.sha256 == first.parts["model"].weights.sha256
    write_weights(tmp_path / "mine.safetensors", tensors_of(4, 0.75), made)
    changed = locate(nets, nets.find("fake/net"), str(tmp_path / "mine.safetensors"))[1]
    with pytest.raises(WeightsError, match=f"{changed} is not that .*{first.parts['model'].weights.sha256}"):
        settled(Experiment.from_file(tmp_path / "run.json", nets))
    told = [f"run.weights={tmp_path / 'mine.safetensors'}"]
    assert settled(Experiment.from_file(tmp_path / "run.json", nets, told)).parts["model"].weights.sha256 == changed
