"""What observers hear of a run."""

from __future__ import annotations

import pytest

import spikecore as sc
from spikecore.errors import Interrupted, PluginError
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.plugin.run_info import RunInfo, Score
from spikecore.runner.observed import observed

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
        sc.run(experiment(host, options={"stop_after": 3}), output=tmp_path / "v.npy", observers=[mine])
    steps = [("step", number, {}) for number in range(1, 4)]
    assert mine.heard == ["start", *steps, ("end", {"state": "interrupted", "results": 3})]


def test_what_is_refused_is_no_run(host, tmp_path):
    mine = Witness()
    with pytest.raises(sc.UsageError):
        sc.run(experiment(host, at=500), output=tmp_path / "v.npy", observers=[mine])
    assert mine.heard == []


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
