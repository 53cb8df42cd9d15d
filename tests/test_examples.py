"""Every example does what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fresh_venv import FreshVenv

from spikecore import Experiment, PluginHost

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
EXPERIMENTS = sorted(EXAMPLES.glob("*.toml"))
WORST = {"builtin/psnr": 30}  # what a method that works surpasses
SCRIPTS = {
    "open_and_reconstruct.py": (
        "scene.dat: 200 frames of 120x160",
        ["scene.dat", "classic-tfp.png", "classic-tfi.png"],
    ),
    "live_camera.py": ("frames per second taken in", []),
}


@pytest.fixture(scope="module")
def with_mean(tmp_path_factory) -> FreshVenv:
    venv = FreshVenv(tmp_path_factory.mktemp("venv"))
    venv.install(EXAMPLES / "spikecore-plugin-mean")
    return venv


def test_the_third_party_plugin_is_listed_once_installed(with_mean):
    listed = {entry["id"]: entry for entry in json.loads(with_mean.run("spikecore", "list", "--json").stdout)}
    assert listed["mean/mean"]["summary"] == "the mean of a window of spike frames"
    assert "mean/mean" not in [component.id for component in PluginHost.discover().components()]


def test_the_third_party_plugin_is_shown(with_mean):
    done = with_mean.run("spikecore", "show", "mean/mean")
    assert done.returncode == 0, done.stderr
    assert "spike frames averaged" in done.stdout


def test_the_third_party_plugin_reconstructs(with_mean, tmp_path):
    size = {"height": 21, "width": 23, "length": 60}
    options = "\n".join(f"{key} = {value}" for key, value in size.items())
    (tmp_path / "mean.toml").write_text(f'[source]\nuse = "builtin/scene"\n{options}\n[reconstructor]\nuse = "mean"\n')
    done = with_mean.run("spikecore", "run", "mean.toml", "-o", "mean.npy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    host = PluginHost.discover()
    stream = host.build(host.find("builtin/scene"), size)[0].spikes
    rates = np.stack([stream.counts(at - 20, at + 21) / 41 for at in range(20, 40)])
    assert np.allclose(np.load(tmp_path / "mean.npy"), np.clip(rates * stream.gain, 0, 1), atol=1e-6)


def test_the_third_party_plugin_passes_its_tests(with_mean, tmp_path):
    tests = EXAMPLES / "spikecore-plugin-mean" / "tests"
    done = with_mean.run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tests), cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def spikecore(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "spikecore", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.name)
def test_experiments_run(path, tmp_path):
    experiment = Experiment.from_file(path, PluginHost.discover())
    spikecore(tmp_path, "run", str(path))
    assert (tmp_path / experiment.run.output).stat().st_size > 0
    scores = json.loads(spikecore(tmp_path, "evaluate", str(path), "--json"))
    for metric in experiment.many("metric"):
        name = metric.component.id
        assert scores
        assert all(score[name] > WORST[name] for score in scores)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_run(name, tmp_path):
    command = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said, written = SCRIPTS[name]
    assert said in done.stdout
    for output in written:
        assert (tmp_path / output).stat().st_size > 0


def test_no_example_is_forgotten():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SCRIPTS)
    assert EXPERIMENTS
