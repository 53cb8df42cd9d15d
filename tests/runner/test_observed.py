"""What observers hear of a run."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import numpy as np
import pytest

import spikecore as sc
from spikecore.errors import Interrupted, OutputError, PluginError
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.plugin.run_info import RunInfo, Score
from spikecore.runner.observed import observed

from ..plugin.fakes import plugin
from .mean import experiment


class Witness:
    """Notes what it is told, in order."""

    def __init__(self):
        self.heard, self.runs = [], []

    @hookimpl
    def spikecore_run_start(self, run):
        self.runs.append(run)
        self.heard.append("start")

    @hookimpl
    def spikecore_step_end(self, run, step, values):
        self.heard.append(("step", step, dict(values)))

    @hookimpl
    def spikecore_scores(self, run, scores):
        self.heard.append(("scores", list(scores)))

    @hookimpl
    def spikecore_epoch_end(self, run, epoch, scores):
        self.heard.append(("epoch", epoch, dict(scores)))

    @hookimpl
    def spikecore_checkpoint_saved(self, run, path):
        self.heard.append(("saved", path.name))

    @hookimpl
    def spikecore_run_end(self, run, result):
        self.heard.append(("end", dict(result)))


def test_observers_of_one_run_hear_all_of_it_once(host, tmp_path):
    mine, everyones = Witness(), Witness()
    host.watch(everyones, "witness")
    sc.run(experiment(host, start=4, stop=8), output=tmp_path / "v.npy", observers=[mine])
    steps = [("step", number, {}) for number in range(1, 5)]
    assert mine.heard == ["start", *steps, ("saved", "v.npy"), ("end", {"state": "done", "results": 4})]
    assert everyones.heard == mine.heard
    assert (tmp_path / "v.npy").exists()
    (run,) = mine.runs
    assert (run.kind, run.title, run.total) == ("reconstruct", "fake/mean on scene-0-0", 4)
    assert run.recipe["experiment"]["reconstructor"]["use"] == "fake/mean"


def test_observers_of_one_run_do_not_hear_the_next(host, tmp_path):
    mine = Witness()
    sc.run(experiment(host, at=4), output=tmp_path / "a.npy", observers=[mine])
    heard = list(mine.heard)
    sc.run(experiment(host, at=4), output=tmp_path / "b.npy")
    assert mine.heard == heard


def test_every_recording_is_a_run(host, tmp_path):
    mine = Witness()
    with pytest.raises(sc.SpikecoreError, match="1 of 3 recordings failed"):
        sc.run(experiment(host, {"use": "fake/recordings"}, at=4), output=tmp_path / "v.npy", observers=[mine])
    assert [run.title for run in mine.runs] == ["fake/mean on night/0", "fake/mean on night/2"]
    assert [entry for entry in mine.heard if entry == "start" or entry[0] == "end"] == [
        "start", ("end", {"state": "done", "results": 1}), "start", ("end", {"state": "done", "results": 1}),
    ]  # fmt: skip


def test_a_run_that_fails_ends(host, tmp_path):
    mine = Witness()
    with pytest.raises(PluginError):
        sc.run(experiment(host, options={"fault": "stumble"}), output=tmp_path / "v.npy", observers=[mine])
    assert mine.heard == ["start", ("end", {"state": "failed", "results": 0})]


def test_a_run_that_is_stopped_says_how_far_it_came(host, tmp_path):
    mine = Witness()
    with pytest.raises(Interrupted):
        sc.run(experiment(host, options={"stop_after": 3}, read_ahead=0), output=tmp_path / "v.npy", observers=[mine])
    steps = [("step", number, {}) for number in range(1, 4)]
    assert mine.heard == ["start", *steps, ("end", {"state": "interrupted", "results": 3})]


def test_what_is_refused_is_no_run(host, tmp_path):
    mine = Witness()
    with pytest.raises(sc.UsageError):
        sc.run(experiment(host, at=500), output=tmp_path / "v.npy", observers=[mine])
    assert mine.heard == []


class Odd(BaseException):
    pass


@pytest.mark.parametrize(
    "error", [RuntimeError("no"), SystemExit(1), KeyboardInterrupt(), Odd("no"), PluginError("no")]
)
@pytest.mark.parametrize("hook", ["step_end", "checkpoint_saved", "run_end"])
def test_an_observer_that_fails_is_named_and_costs_nothing(host, tmp_path, hook, error):
    calls, mine = [], Witness()

    def fail(run):
        calls.append(run)
        raise error

    host.register(plugin(**{f"spikecore_{hook}": lambda run: fail(run)}), "clumsy")
    with pytest.warns(UserWarning, match=f"plugin 'clumsy': spikecore_{hook} failed: .*no more of this") as said:
        sc.run(experiment(host, start=4, stop=8), output=tmp_path / "v.npy", observers=[mine])
    assert (len(calls), len(said)) == (1, 1)
    assert mine.heard[-1] == ("end", {"state": "done", "results": 4})
    assert np.load(tmp_path / "v.npy").shape == (4, 24, 32)


def test_an_observer_that_fails_at_the_start_only_warns_unless_it_refuses_in_words(host, tmp_path):
    host.register(plugin(spikecore_run_start=lambda run: 1 / 0), "clumsy")
    with pytest.warns(UserWarning, match="'clumsy': spikecore_run_start failed: ZeroDivisionError"):
        sc.run(experiment(host, at=4), output=tmp_path / "v.npy")

    def refuse(run):
        raise OutputError("the disk is full")

    host.register(plugin(spikecore_run_start=lambda run: refuse(run)), "careful")
    with pytest.raises(PluginError, match="'careful': spikecore_run_start refuses the run: the disk is full"):
        sc.run(experiment(host, at=4), output=tmp_path / "w.npy")
    assert not (tmp_path / "w.npy").exists()


@pytest.mark.parametrize("stop", [Interrupted("enough"), "Ctrl-C"])
def test_an_observer_may_stop_a_run_and_so_may_the_user_meanwhile(host, tmp_path, stop):
    def halt(step):
        if step == 2:
            if stop == "Ctrl-C":
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
            raise stop

    host.register(plugin(spikecore_step_end=lambda step: halt(step)), "halt")
    with pytest.raises(Interrupted):
        sc.run(experiment(host, start=4, stop=20), output=tmp_path / "v.npy")
    assert not (tmp_path / "v.npy").exists()


def test_an_observer_may_be_a_wrapper(host, tmp_path):
    heard = []

    @hookimpl(wrapper=True)
    def spikecore_run_end(run, result):
        heard.append("before")
        return (yield)

    host.watch(SimpleNamespace(spikecore_run_end=spikecore_run_end), "around")
    sc.run(experiment(host, at=4), output=tmp_path / "v.npy")
    assert heard == ["before"]


def test_observers_that_implement_what_there_is_not_are_refused(host, tmp_path):
    class Odd:
        @hookimpl
        def spikecore_run_begin(self, run):
            pass

    with pytest.raises(PluginError, match="unknown hook spikecore_run_begin"):
        sc.run(experiment(host, at=4), output=tmp_path / "v.npy", observers=[Odd()])
    assert list(tmp_path.iterdir()) == []


def test_whoever_runs_something_tells_by_the_same_door(tmp_path):
    witness = Witness()
    score = Score("clip", "fake/mean", "psnr", 30.0)
    with observed(None, RunInfo("train", "a training"), [witness]) as run:
        run.step(1, {"loss": 0.5})
        run.scores([score])
        run.epoch(1, {"psnr": 30.0})
        run.saved(tmp_path / "step-1.pt")
        run.result["steps"] = 1
    assert witness.heard == [
        "start",
        ("step", 1, {"loss": 0.5}),
        ("scores", [score]),
        ("epoch", 1, {"psnr": 30.0}),
        ("saved", "step-1.pt"),
        ("end", {"state": "done", "steps": 1}),
    ]


@pytest.mark.parametrize(
    ("error", "state"),
    [(KeyboardInterrupt(), "interrupted"), (Interrupted("enough"), "interrupted"), (ValueError("no"), "failed"),
     (SystemExit(1), "failed")],
    ids=repr,
)  # fmt: skip
def test_the_end_says_how_it_came(error, state):
    witness = Witness()
    host = PluginHost()
    host.watch(witness, "witness")
    with pytest.raises(type(error)), observed(host, RunInfo("evaluate", "an evaluation")):
        raise error
    assert witness.heard == ["start", ("end", {"state": state})]


def test_whoever_runs_something_may_know_better_how_it_ended():
    witness = Witness()
    with observed(None, RunInfo("evaluate", "an evaluation"), [witness]) as run:
        run.result["state"] = "failed"
    assert witness.heard[-1] == ("end", {"state": "failed"})


def test_several_observers_of_one_kind_are_told():
    witnesses = [Witness(), Witness()]
    with observed(None, RunInfo("evaluate", "an evaluation"), witnesses):
        pass
    assert [witness.heard for witness in witnesses] == [["start", ("end", {"state": "done"})]] * 2
