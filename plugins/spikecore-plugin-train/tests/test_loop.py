"""What the engine does in a step, and how it ends when something is wrong."""

from __future__ import annotations

import json
import resource

import pytest
import torch
from safetensors.torch import load_file
from spikecore_plugin_train.checkpoint import read
from spikecore_plugin_train.config import LoopConfig, NoOptions
from spikecore_plugin_train.group import Group
from spikecore_plugin_train.progress import Progress
from spikecore_plugin_train.step import Diverged, Stepper

from spikecore import Component, Kind, OutputError, PluginHost, PluginInfo, UsageError, Weights, hookimpl
from spikecore.adapter import load_network
from spikecore.errors import ConfigError
from spikecore.experiment import Precision
from spikecore.interfaces import LossTerms, Stage
from spikecore.testing.tiny import TinyMetric, TinyModel
from spikecore.weights import locate

SGD = {"use": "sgd", "lr": 0.1}


def weights(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def apart(one, other):
    return max(float((one[name] - other[name]).abs().max()) for name in one)


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


class Poison:
    """A loss or gradient that is not finite from the k-th answer on."""

    def __init__(self, task, at, gradient=False):
        self.inner, self.left, self.gradient = task.L2(), at, gradient

    def forward(self, output, batch):
        terms = self.inner.forward(output, batch)
        self.left -= 1
        if self.left >= 0:
            return terms
        total = terms.total
        if self.gradient:
            total = total + 0 * (output["image"] - output["image"].detach()).sum().abs().sqrt()  # derivative of √ at 0
        else:
            total = total * float("nan")
        return LossTerms(total, {"l2": total, "fine": terms.total})


@pytest.mark.parametrize("gradient", [False, True])
def test_what_is_not_finite_ends_the_training_before_the_step(task, tmp_path, gradient):
    model = task.Net(plain=True)
    states = []

    class Watch:
        @hookimpl
        def spikecore_info(self):
            return PluginInfo("hears the end")

        @hookimpl
        def spikecore_step_end(self):
            states.append(weights(model))

        @hookimpl
        def spikecore_run_end(self, result):
            states.append(result["state"])

    host = PluginHost()
    host.register(Watch(), "watch")
    with pytest.raises(Diverged) as caught:
        task.train(tmp_path, plain=True, model=model, losses={"l2": Poison(task, 13, gradient)}, host=host)
    told = str(caught.value)
    assert "stage 'second', step 14" in told
    assert "l2 =" in told
    assert "l2:fine =" in told
    assert told.count("item-") == 4, "the keys of the batch"
    assert ("gradient of" in told) == gradient
    assert states.pop() == "failed"
    assert len(states) == 13
    assert apart(weights(model), states[-1]) == 0, "the step was not taken"
    result, _ = task.train(tmp_path, plain=True, resume="auto")
    assert result.steps == 24, "the last checkpoint is good"


class Smaller:
    """Files larger than a few bytes cannot be written once the first checkpoint is there, as on a full disk."""

    def __init__(self):
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)

    @hookimpl
    def spikecore_info(self):
        return PluginInfo("fills the disk")

    @hookimpl
    def spikecore_checkpoint_saved(self, path):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, self.before[1]))

    @hookimpl
    def spikecore_run_end(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


def test_a_full_disk_leaves_the_checkpoint_before(task, tmp_path):
    whole, _ = task.train(tmp_path / "whole")
    host = PluginHost()
    host.register(Smaller(), "smaller")
    with pytest.raises(
        OutputError, match=r"step-000000010.pt could not be written: File too large(.|\n)*step-000000005"
    ):
        task.train(tmp_path / "full", host=host)
    assert [path.name for path in (tmp_path / "full" / "checkpoints").iterdir()] == ["step-000000005.pt"]
    resumed, _ = task.train(tmp_path / "full", resume="auto")
    assert resumed.losses == whole.losses


def test_a_directory_that_cannot_be_written_is_told(task, tmp_path):
    (tmp_path / "checkpoints").write_text("in the way")
    with pytest.raises(OutputError, match="there is no older one"):
        task.train(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be used for a run"):
        task.train(tmp_path / "file")


def test_the_best_weights_are_kept_and_patience_ends_a_stage(task, tmp_path):
    class Scripted(TinyMetric):
        values = iter([0.5, 0.3, 0.4, 0.35, 0.6, 0.2, 0.9, 0.9, 0.9])

        def compute(self):
            return torch.tensor(next(self.values))

    options = {"patience": 2, "validate_every": 2, "batch": 5}
    stages = [Stage(name, steps=20, losses={"l2": 1.0}, optimiser=SGD) for name in ("first", "second")]
    result, _ = task.train(
        tmp_path, options=options, stages=stages, validation=task.TinySource(2), metrics={"mae": Scripted()}
    )
    assert result.steps == 8 + 8, "each stage ended after two worse scores"
    best = read(tmp_path / "checkpoints" / "best.pt")["progress"]
    assert (best["step"], best["best"]) == (12, pytest.approx(0.2))
    card = json.loads((tmp_path / "best.json").read_text())
    assert card["scores"] == {"mae": pytest.approx(0.2)}
    assert result.scores == {"mae": pytest.approx(0.9)}


def test_patience_compares_with_the_stage_and_best_with_all():
    progress = Progress()
    assert progress.judged({}, 0.2, False)
    progress.stage_step = 8
    progress.next_stage(20)
    assert not any(progress.judged({}, value, False) for value in (0.9, 0.8, 0.7))
    assert (progress.stale, progress.best, progress.ended) == (0, 0.2, [0])
    progress.judged({}, 0.75, False)
    assert progress.stale == 1
    assert progress.judged({}, 0.1, False)
    assert progress.stale == 0


def test_exported_weights_can_be_listed(task, tmp_path):
    model = TinyModel()
    task.train(tmp_path, plain=True, model=model, source=task.TinySource(4))
    card = json.loads((tmp_path / "weights.json").read_text())
    weights = Weights(
        **{key: value for key, value in card.items() if key != "file"}, url="https://example.org/" + card["file"]
    )
    component = Component(Kind.MODEL, "tiny", "nowhere:Tiny", NoOptions, "tiny", weights=(weights,))

    class Cache:
        @hookimpl
        def spikecore_info(self):
            return PluginInfo("finds weights")

        @hookimpl
        def spikecore_resolve_weights(self, weights):
            return tmp_path / "weights.safetensors"

    host = PluginHost()
    host.register(Cache(), "cache")
    path, _ = locate(host, component, "weights")
    fresh = TinyModel(seed=9)
    load_network(fresh, path)
    assert apart(fresh.network.state_dict(), model.network.state_dict()) == 0


def test_nothing_is_left_behind(task, tmp_path):
    import signal

    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    class Watch(task.L2):
        def forward(self, output, batch):
            assert torch.are_deterministic_algorithms_enabled()
            return super().forward(output, batch)

    stage = Stage("one", steps=2, losses={"l2": 1.0}, optimiser=SGD, trains={"network.0.*": 1.0})
    options = {"deterministic": True}
    result, model = task.train(tmp_path, stages=[stage], options=options, losses={"l2": Watch()})
    assert result.steps == 2
    assert all(one.requires_grad for one in model.parameters())
    assert not torch.are_deterministic_algorithms_enabled()
    assert handlers == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))


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


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": "empty"}, "holds no samples"),
        ({"losses": {}}, "needs the loss 'l2'"),
        ({"stages": [Stage("one", steps=2)]}, "has no losses"),
        ({"options": {"best": "psnr"}}, "is no metric of this run"),
        ({"options": {"patience": 2}}, "needs \\[validation\\]"),
        ({"options": {"device": "cuda:77"}}, "cannot be used here"),
        ({"options": {"logs": ["csv", "csv"]}}, "names one of them twice"),
        ({"options": {"crop": 9}}, "too small for crop"),
    ],
)
def test_what_cannot_be_trained_is_refused(task, tmp_path, changes, told):
    if changes.get("source"):
        changes = {"source": task.TinySource(0)}
    with pytest.raises((UsageError, ConfigError), match=told):
        task.train(tmp_path, **changes)


def test_a_run_without_stages_is_refused(task, tmp_path):
    from spikecore_plugin_train.loop import Loop

    from spikecore.interfaces import TrainRun

    run = TrainRun(model=task.Net(), source=task.TinySource(), directory=tmp_path, host=PluginHost())
    with pytest.raises(UsageError, match=r"states no \[\[stage\]\]"):
        Loop(LoopConfig()).fit(run)


def test_a_loss_that_no_trained_parameter_moves_is_told(task, tmp_path):
    class Constant:
        def forward(self, output, batch):
            return LossTerms(torch.zeros(()), {})

    with pytest.raises(UsageError, match="does not depend on any parameter"):
        task.train(tmp_path, losses={"l2": Constant()})
