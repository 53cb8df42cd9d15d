"""How a training ends when something is wrong, and what it leaves."""

from __future__ import annotations

import resource

import pytest
import torch
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.step import Diverged

from spikecore import (
    ConfigError,
    LossTerms,
    OutputError,
    PluginHost,
    PluginInfo,
    Stage,
    UsageError,
    hookimpl,
)

from .conftest import apart, weights

SGD = {"use": "sgd", "lr": 0.1}


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
    with pytest.raises(OutputError, match="cannot be a folder for results"):
        task.train(tmp_path / "file")


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

    from spikecore import TrainRun

    run = TrainRun(model=task.Net(), source=task.TinySource(), directory=tmp_path, host=PluginHost())
    with pytest.raises(UsageError, match=r"states no \[\[stage\]\]"):
        Loop(LoopConfig()).fit(run)


def test_a_loss_that_no_trained_parameter_moves_is_told(task, tmp_path):
    class Constant:
        def forward(self, output, batch):
            return LossTerms(torch.zeros(()), {})

    with pytest.raises(UsageError, match="does not depend on any parameter"):
        task.train(tmp_path, losses={"l2": Constant()})
