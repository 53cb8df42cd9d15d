"""What is written down of a training."""

from __future__ import annotations

import csv
import importlib.util
import json
import resource
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from spikecore_plugin_train.logs.table import CsvLog

from spikecore import OutputError, PluginError, PluginHost, Sample, Score, SpikeStream, hookimpl
from spikecore.cli import cli
from spikecore.testing.tiny import TinyMetric


def rows(directory):
    with (directory / "log.csv").open(newline="") as file:
        header, *found = csv.reader(file)
    assert header == ["step", "name", "value"]
    return [(int(step), name, float(value)) for step, name, value in found]


def test_csv_holds_every_tenth_step_and_the_scores(task, tmp_path):
    result, _ = task.train(
        tmp_path, 24, options={"logs": ["csv"]}, validation=task.TinySource(2), metrics={"mae": TinyMetric()}
    )
    found = rows(tmp_path)
    losses = {step: value for step, name, value in found if name == "loss"}
    assert losses == {step: pytest.approx(result.losses[step - 1], rel=1e-6) for step in (1, 10, 20)}
    assert {name for _, name, _ in found} == {"lr", "stage", "loss", "norm", "l2", "mae"}
    assert [value for step, name, value in found if name == "mae"][-1] == pytest.approx(result.scores["mae"])


def test_a_full_disk_is_told_by_the_log_and_not_again_at_the_end(tmp_path):
    log, before = CsvLog(tmp_path, 1), resource.getrlimit(resource.RLIMIT_FSIZE)
    log.spikecore_step_end(1, {"loss": 1.0})
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.stat().st_size, before[1]))
    try:
        with pytest.raises(OutputError, match=r"log\.csv could not be written: File too large"):
            log.spikecore_step_end(2, {"loss": 1.0})
        log.spikecore_run_end()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_csv_of_a_resumed_run_is_that_of_one_in_one_piece(task, tmp_path):
    options = {"logs": ["csv"], "log_every": 1}
    for name in ("whole", "resumed"):
        task.train(tmp_path / name, 24, options=options)
    for step in (20, 24):
        (tmp_path / "resumed" / "checkpoints" / f"step-{step:09d}.pt").unlink()
    with (tmp_path / "resumed" / "log.csv").open("a") as file:
        file.write("24,lo")  # cut off by the kill
    task.train(tmp_path / "resumed", 24, options=options, resume="auto")
    assert rows(tmp_path / "resumed") == rows(tmp_path / "whole")


RECIPE = {"experiment": {"name": "named", "model": {"use": "tiny/model"}}, "fingerprint": "f00"}


class Heard:
    """What the observers of a host are told."""

    def __init__(self):
        self.runs, self.scores, self.saved, self.ends = [], [], [], []

    @hookimpl
    def spikecore_run_start(self, run):
        self.runs.append(run)

    @hookimpl
    def spikecore_scores(self, run, scores):
        self.scores += [(run.id, score) for score in scores]

    @hookimpl
    def spikecore_checkpoint_saved(self, path):
        self.saved.append(path.name)

    @hookimpl
    def spikecore_run_end(self, run, result):
        self.ends.append((run.id, result["state"]))


def test_observers_of_the_host_hear_of_one_run_with_its_scores_and_files(task, tmp_path):
    host, heard = PluginHost(), Heard()
    host.watch(heard, "heard")
    given = {"validation": task.TinySource(2), "metrics": {"mae": TinyMetric()}, "recipe": RECIPE, "host": host}
    result, _ = task.train(tmp_path, **given)
    result.checkpoint.unlink()
    task.train(tmp_path, resume="auto", **given)
    assert {(run.kind, run.name, run.total, run.id) for run in heard.runs} == {("train", "named", 24, heard.runs[0].id)}
    assert heard.ends == 2 * [(heard.runs[0].id, "done")]
    last = Score("", "tiny/model", "mae", result.scores["mae"], "", False)
    assert heard.scores[-1] == (heard.runs[0].id, last)
    assert {"weights.safetensors", "best.safetensors", "step-000000024.pt", "item-0.png"} <= set(heard.saved)


def test_a_score_without_a_value_says_why(task, tmp_path):
    class Nothing(TinyMetric):
        def compute(self):
            return torch.tensor(float("nan"))

    host, heard = PluginHost(), Heard()
    host.watch(heard, "heard")
    task.train(tmp_path, 2, validation=task.TinySource(1), metrics={"mae": Nothing()}, host=host)
    assert heard.scores[-1][1] == Score("", "Net", "mae", None, "the metric gave NaN", False)


def test_the_results_plugin_records_a_run_once(task, tmp_path, monkeypatch):
    pytest.importorskip("spikecore_plugin_results")
    monkeypatch.setenv("SPIKECORE_RESULTS", str(tmp_path / "results.sqlite"))
    host = PluginHost.discover(allow=["results"])
    given = {"validation": task.TinySource(2), "metrics": {"mae": TinyMetric()}, "recipe": RECIPE, "host": host}
    result, _ = task.train(tmp_path / "run", **given)
    result.checkpoint.unlink()
    task.train(tmp_path / "run", resume="auto", **given)
    spikecore("results", "export", str(tmp_path / "values.json"))
    (value,) = json.loads((tmp_path / "values.json").read_text())
    assert [value[name] for name in ("kind", "name", "state", "item")] == ["train", "named", "done", ""]
    assert (value["method"], value["metric"]) == ("tiny/model", "mae")
    assert value["value"] == pytest.approx(result.scores["mae"])
    told = spikecore("results", "show", value["run"])
    assert str((tmp_path / "run" / "weights.safetensors").resolve()) in told
    assert ".pt" not in told, "checkpoints come and go"


def spikecore(*words):
    return CliRunner().invoke(cli, words, catch_exceptions=False, standalone_mode=False).stdout


@pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="tensorboardX is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_files_hold_values_and_pictures(task, tmp_path):
    options = {"logs": ["tensorboard"], "log_every": 5}
    task.train(tmp_path, 12, options=options, validation=task.TinySource(1), metrics={"mae": TinyMetric()})
    (path,) = (tmp_path / "tensorboard").glob("events.out.tfevents.*")
    content = path.read_bytes()
    for name in (b"loss", b"mae", b"item-0"):
        assert name in content


def test_wandb_is_offline_without_a_key_and_never_sees_it_written(task, tmp_path, monkeypatch):
    calls = []

    class Run:
        def log(self, values, step):
            calls.append((step, values))

        def finish(self, exit_code):
            calls.append(exit_code)

    def init(**given):
        calls.append(given)
        return Run()

    module = SimpleNamespace(init=init, Image=lambda path: path, __spec__=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "wandb", module)
    given = {"options": {"logs": ["wandb"], "log_every": 5}, "recipe": {"experiment": {"name": "named"}}}
    for key, mode in (("", "offline"), ("secret-key", "online")):
        monkeypatch.setenv("WANDB_API_KEY", key)
        calls.clear()
        task.train(tmp_path / mode, 6, **given)
        assert calls[0]["mode"] == mode
        assert "secret-key" not in repr(calls)
        assert calls[-1] == 0
        assert [call[0] for call in calls[1:-1]] == [1, 5]
        written = b"".join(path.read_bytes() for path in (tmp_path / mode).rglob("*") if path.is_file())
        assert b"secret-key" not in written


def test_a_log_whose_library_is_missing_is_told_before_the_first_step(task, tmp_path, monkeypatch):
    monkeypatch.setattr("spikecore_plugin_train.observers.find_spec", lambda name: None)
    with pytest.raises(PluginError, match=r"pip install 'spikecore-plugin-train\[wandb\]'"):
        task.train(tmp_path, options={"logs": ["wandb"]})
    assert not (tmp_path / "checkpoints").exists()


class Bright:
    """One recording of gain 2 whose true image is 0.8: a model that gives its rate, 0.4, is right."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        stream = SpikeStream.from_frames(np.zeros((8, 4, 4), bool), gain=2.0)
        return Sample(key="bright/one", spikes=stream, target={"image": np.full((1, 4, 4), 0.8, np.float32)})


@pytest.mark.parametrize(("calibrate", "level"), [(True, 0.4), (False, 0.8)])
def test_validation_judges_intensities_in_whole_pictures(task, tmp_path, calibrate, level):
    class Rate(task.Net):
        def forward(self, batch):
            return {"image": super().forward(batch)["image"] * 0 + level}

    given = {"validation": Bright(), "metrics": {"mae": TinyMetric()}, "model": Rate(plain=True)}
    result, _ = task.train(tmp_path, 2, options={"crop": 3, "calibrate": calibrate}, host=PluginHost(), **given)
    assert result.scores["mae"] == pytest.approx(0, abs=1e-6)
    assert (tmp_path / "pictures" / "step-000000002" / "bright-one.png").is_file()
    assert torch.is_grad_enabled()
