"""Recipes as data: who trains when, how fast, by what rule."""

from __future__ import annotations

import math

import pytest
import torch
from spikecore_plugin_train.schedules import rate, read_schedule
from spikecore_plugin_train.stages import Plan, trainable_names
from torch import nn

from spikecore import ConfigError, Stage


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 1))


def plan(model, **changes):
    return Plan(Stage("one", **{"steps": 10, **changes}), model, trainable_names(model), per_epoch=4)


def rates(optimiser):
    return {id(one): group["lr"] for group in optimiser.param_groups for one in group["params"]}


def test_patterns_make_groups_and_the_last_that_fits_counts(model):
    one = plan(model, trains={"*": 1.0, "0.*": 0.1, "2.bias": 0.0}, optimiser={"use": "sgd", "lr": 0.5})
    optimiser = one.optimiser()
    one.apply(optimiser, 0)
    found = rates(optimiser)
    named = dict(model.named_parameters())
    assert {name: found.get(id(value)) for name, value in named.items()} == {
        "0.weight": pytest.approx(0.05), "0.bias": pytest.approx(0.05), "1.weight": 0.5, "1.bias": 0.5,
        "2.weight": 0.5, "2.bias": None,
    }  # fmt: skip
    one.freeze(model, 0)
    assert not named["2.bias"].requires_grad


def test_frozen_normalisation_keeps_its_statistics(model):
    everything = plan(model)
    plan(model, trains={"2.*": 1.0}).freeze(model, 0)
    assert not model[1].training
    assert model[2].training
    before = model[1].running_mean.clone()
    model(torch.rand(3, 1, 4, 4))
    assert torch.equal(before, model[1].running_mean)
    everything.freeze(model, 0)
    assert model[1].training


def test_parameters_are_released_at_their_step(model):
    one = plan(model, epochs=3, steps=None, schedule={"release": {"0.*": 1.5}})
    assert one.steps == 12
    assert [step for step in range(12) if one.changes_at(step)] == [0, 6]
    for step, wanted in ((0, False), (5, False), (6, True), (11, True)):
        one.freeze(model, step)
        assert model[0].weight.requires_grad is wanted
        assert model[2].weight.requires_grad


def test_what_the_model_froze_stays_frozen(model):
    model[0].weight.requires_grad_(False)
    one = plan(model)
    one.freeze(model, 0)
    assert not model[0].weight.requires_grad
    assert "0.weight" not in one.multipliers


def test_constant_rate_is_the_default():
    schedule = read_schedule({}, "$")
    assert [rate(schedule, step, 5, 1) for step in range(5)] == [1.0] * 5


def test_cosine_falls_to_its_floor_after_warming_up():
    schedule = read_schedule({"use": "cosine", "warmup": 4, "floor": 0.1}, "$")
    values = [rate(schedule, step, 24, 1) for step in range(24)]
    assert values[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert values[4:] == pytest.approx([0.1 + 0.9 * (1 + math.cos(math.pi * t / 20)) / 2 for t in range(20)])


def test_multistep_falls_at_milestones_counted_in_epochs():
    schedule = read_schedule({"use": "multistep", "milestones": [1, 2.5], "gamma": 0.1}, "$")
    values = [rate(schedule, step, 12, 4) for step in range(12)]
    assert values == pytest.approx([1.0] * 4 + [0.1] * 6 + [0.01] * 2)


def test_linear_warmup_then_constant():
    schedule = read_schedule({"use": "linear-warmup", "warmup": 2}, "$")
    assert [rate(schedule, step, 4, 1) for step in range(4)] == [0.5, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(("use", "kind"), [("adam", "Adam"), ("adamw", "AdamW"), ("sgd", "SGD")])
def test_optimisers_by_name(model, use, kind):
    optimiser = plan(model, optimiser={"use": use, "lr": 0.1, "weight_decay": 0.5}).optimiser()
    assert type(optimiser).__name__ == kind
    assert optimiser.param_groups[0]["weight_decay"] == 0.5


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps": None}, "needs steps or epochs"),
        ({"epochs": 3}, "needs steps or epochs"),
        ({"steps": 0}, "needs steps or epochs"),
        ({"trains": {"flow.*": 1.0}}, r"'flow.\*' fits no parameter"),
        ({"trains": {"*": 0.0}}, "trains nothing"),
        ({"optimiser": {"use": "adm"}}, "did you mean adam"),
        ({"optimiser": {"lr": 1.0}}, "no optimiser"),
        ({"optimiser": {"use": "adam", "lr": -1.0}}, "stage 'one'.optimiser"),
        ({"optimiser": {"use": "sgd", "rate": 1.0}}, "unknown option 'rate'"),
        ({"schedule": {"use": "cosinus"}}, "did you mean cosine"),
        ({"schedule": {"use": "multistep"}}, "milestones"),
        ({"schedule": {"use": "linear-warmup"}}, "warmup"),
        ({"schedule": {"release": {"flow": 3}}}, "'flow' fits no parameter"),
    ],
)
def test_wrong_stages_are_refused(model, changes, told):
    with pytest.raises(ConfigError, match=told):
        plan(model, **changes)
