"""Runs are recorded as they are observed, whoever does them."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path

import pytest
from spikecore_plugin_results.store import Results

from spikecore import PluginHost, RunInfo, Score, hookimpl, observed

SCENE = """
name = "night"
[source]
use = "builtin/scene"
height = 24
width = 32
length = 60
clips = 3
seed = 5
[[method]]
use = "classic/tfp"
[[method]]
use = "classic/tfi"
[[metric]]
use = "builtin/psnr"
"""
BENCH = ("bench", "-m", "classic/tfp", "--repeats", 1, "--height", 16, "--width", 24, "--length", 60)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPIKECORE_RESULTS", raising=False)
    (tmp_path / "night.toml").write_text(SCENE)


class Listener:
    """An observer of another plugin."""

    def __init__(self):
        self.heard = {}

    @hookimpl
    def spikecore_run_start(self, run):
        self.heard[run.id] = []

    @hookimpl
    def spikecore_scores(self, run, scores):
        self.heard[run.id] += scores


@pytest.fixture
def listener(monkeypatch):
    listener, discover = Listener(), PluginHost.discover

    def discovered(*arguments, **options):
        host = discover(*arguments, **options)
        host.watch(listener, "listener")
        return host

    monkeypatch.setattr(PluginHost, "discover", discovered)
    return listener


@pytest.mark.parametrize(("arguments", "kind"), [(("evaluate", "night.toml"), "evaluate"), (BENCH, "bench")])
def test_another_observer_hears_the_same_scores_of_the_same_run(run, listener, arguments, kind):
    run(*arguments)
    (held,) = Results().runs()
    (id,) = listener.heard
    assert (held.id, held.kind, held.state) == (id, kind, "done")
    assert listener.heard[id]
    assert sorted([one for _, one in Results().scores(id)], key=str) == sorted(listener.heard[id], key=str)


def test_every_value_of_an_evaluation_is_recorded(run):
    run("evaluate", "night.toml")
    store = Results(Path(".spikecore/results.sqlite"))
    (found,) = store.runs()
    assert (found.kind, found.name, found.state) == ("evaluate", "night", "done")
    recipe = json.loads(Path("evaluate-night/run.json").read_text())
    assert (found.recipe, found.fingerprint) == (recipe, recipe["fingerprint"])
    held = {(one.item, one.method): one.value for _, one in store.scores() if one.metric == "builtin/psnr"}
    assert held == psnr("scores.csv") | {("", method): value for (_, method), value in psnr("means.csv").items()}
    names = {Path(path).name for path in store.artefacts(found.id)}
    assert names == {"scores.csv", "means.csv", *(f"scene-5-{clip}.png" for clip in range(3))}


def psnr(name):
    with Path("evaluate-night", name).open() as stream:
        return {(row["item"], row["method"]): float(row["builtin/psnr"]) for row in csv.DictReader(stream)}


def test_a_variable_names_the_file(run, monkeypatch):
    monkeypatch.setenv("SPIKECORE_RESULTS", "my.sqlite")
    run("evaluate", "night.toml")
    assert len(Results(Path("my.sqlite")).runs()) == 1
    assert not Path(".spikecore").exists()


def test_a_file_that_is_no_store_is_said_before_anything_is_computed(run, monkeypatch):
    monkeypatch.setenv("SPIKECORE_RESULTS", "night.toml")
    assert "night.toml: file is not a database" in run("evaluate", "night.toml", code=1).err
    assert not Path("evaluate-night/items").exists()
    assert Path("night.toml").read_text() == SCENE


def test_a_reconstruction_is_not_recorded(run):
    run("run", "night.toml", "-s", "source.clips=1", "-s", "method=[]", "-s", "metric=[]",
        "-s", "reconstructor={use = 'classic/tfp'}", "-o", "out.npy")  # fmt: skip
    assert Path("out.npy").is_file()
    assert Results().runs() == []


def test_a_training_keeps_its_weights_not_its_checkpoints(tmp_path):
    host = PluginHost.discover()
    for name in ("last.pt", "best.safetensors"):
        (tmp_path / name).write_text(name)
    info = RunInfo("train", "train x", recipe={"experiment": {"name": "x"}})
    with suppress(KeyboardInterrupt), observed(host, info) as run:
        run.scores([Score("", "m", "loss", 1.0)])
        run.scores([Score("", "m", "loss", 0.5)])
        for name in ("last.pt", "best.safetensors"):
            run.saved(tmp_path / name)
        raise KeyboardInterrupt
    (found,) = Results().runs()
    assert (found.id, found.name, found.state) == (info.id, "x", "interrupted")
    assert [one.value for _, one in Results().scores(info.id)] == [0.5]
    assert list(Results().artefacts(info.id)) == [str(tmp_path / "best.safetensors")]
