"""What the engine does in a step."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from spikecore_plugin_train.checkpoint import read
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.group import Group
from spikecore_plugin_train.step import Stepper

from spikecore import (
    LossTerms,
    PluginHost,
    PluginInfo,
    Precision,
    Stage,
    hookimpl,
)

from .conftest import apart, weights

SGD = {"use": "sgd", "lr": 0.1}


def test_accumulation_equals_a_bigger_batch(task, tmp_path):
    found = [
        task.train(tmp_path / str(k), 12, plain=True, options={"batch": 7, "accumulate": k, "clip": 1.0})
        for k in (1, 2, 3)
    ]
    for result, model in found[1:]:
        assert result.losses == pytest.approx(found[0][0].losses, rel=1e-5)
        assert apart(weights(model), weights(found[0][1])) < 1e-5


def test_clipping_bounds_the_step(task, tmp_path):
    stage = [Stage("one", steps=1, losses={"l2": 1.0}, optimiser=SGD)]
    moved = []
    for clip in (0.0, 0.01):
        before = weights(task.Net(plain=True))
        _, model = task.train(tmp_path / str(clip), plain=True, stages=stage, options={"clip": clip})
        steps = [(weights(model)[name] - value).flatten() for name, value in before.items()]
        moved.append(float(torch.cat(steps).norm()))
    assert moved[0] > 0.0011
    assert moved[1] == pytest.approx(0.1 * 0.01, rel=1e-3)


@pytest.mark.parametrize("decay", [0.15, 0.999])
def test_the_average_is_that_of_all_weights(task, tmp_path, decay):
    seen = []

    class Watch:
        @hookimpl
        def spikecore_info(self):
            return PluginInfo("looks at weights")

        @hookimpl
        def spikecore_step_end(self):
            seen.append(weights(model))

    host = PluginHost()
    host.register(Watch(), "watch")
    model = task.Net(plain=True)
    expected = weights(model)
    result, _ = task.train(tmp_path, 6, plain=True, model=model, host=host, options={"ema": decay})
    for step, state in enumerate(seen, start=1):
        kept = min(decay, (1 + step) / (10 + step))  # 2/11 at first: quickly away from random weights
        expected = {name: kept * value + (1 - kept) * state[name] for name, value in expected.items()}
    content = read(result.checkpoint)
    assert apart(content["average"], expected) < 1e-6
    assert apart(content["model"], seen[-1]) == 0, "the model itself keeps its last weights"
    exported = load_file(tmp_path / "weights.safetensors")
    assert apart({f"network.{name}": value for name, value in exported.items()}, content["average"]) == 0


def test_losses_are_weighted_and_their_parts_are_told(task, tmp_path):
    class Two:
        def forward(self, output, batch):
            one, two = output["image"].square().mean(), output["image"].abs().mean()
            return LossTerms(one + two, {"square": one, "abs": two})

    heard = []

    class Watch:
        @hookimpl
        def spikecore_info(self):
            return PluginInfo("hears values")

        @hookimpl
        def spikecore_step_end(self, values):
            heard.append(values)

    host = PluginHost()
    host.register(Watch(), "watch")
    stage = Stage("one", steps=1, losses={"l2": 1.0, "two": 0.5}, optimiser=SGD)
    losses = {"l2": task.L2(), "two": Two()}
    task.train(tmp_path, plain=True, stages=[stage], losses=losses, host=host)
    (values,) = heard
    assert values["loss"] == pytest.approx(values["l2"] + 0.5 * values["two"])
    assert values["two"] == pytest.approx(values["two:square"] + values["two:abs"])
    assert values["lr"] == 0.1
    assert values["norm"] > 0


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_reduced_precision_trains_and_resumes_exactly(task, tmp_path, precision):
    options = {"precision": precision, "checkpoint_every": 4}
    whole, model = task.train(tmp_path / "whole", 12, options=options)
    full, _ = task.train(tmp_path / "full", 12, options={"checkpoint_every": 4})
    assert whole.losses != full.losses
    assert whole.losses == pytest.approx(full.losses, rel=0.05, abs=0.01)
    part, _ = task.train(tmp_path / "part", 12, options=options)
    part.checkpoint.unlink()
    _, resumed = task.train(tmp_path / "part", 12, options=options, resume="auto")
    assert apart(weights(model), weights(resumed)) == 0
    assert bool(read(whole.checkpoint)["scaler"]) == (precision == "float16")


def test_a_process_without_samples_takes_a_scaled_step(task):
    class Others(Group):
        def sum_gradients(self, parameters):
            for parameter in parameters:
                parameter.grad = torch.ones_like(parameter)

    model, stage = task.Net(plain=True), Stage("one", steps=1, losses={"l2": 1.0}, optimiser=SGD)
    config = LoopConfig(precision=Precision.FLOAT16)
    stepper = Stepper(model, {}, config, Others(0, 1, torch.device("cpu")))
    values = stepper.take(stage, torch.optim.SGD(model.parameters(), 0.1), [], "here")
    assert values["norm"] > 0


def test_a_compiled_network_trains_the_same(task, tmp_path, monkeypatch):
    seen = []

    def backend(graph, inputs):  # as the default one, but needs no C++ compiler
        seen.append(graph)
        return graph.forward

    original = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: original(self, backend=backend))
    plain, _ = task.train(tmp_path / "plain", 2)
    assert not seen
    compiled, _ = task.train(tmp_path / "compiled", 2, options={"compile": True})
    assert seen
    assert compiled.losses == pytest.approx(plain.losses, rel=1e-5)
