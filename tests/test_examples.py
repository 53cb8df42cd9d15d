"""Every example does what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikecore import Experiment, PluginHost

sys.path.insert(0, str(Path(__file__).with_name("fakes")))
from fresh_venv import FreshVenv  # the folder must be on the path first

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
    before = [component.id for component in PluginHost.discover().components()]
    after = [entry["id"] for entry in json.loads(with_mean.run("spikecore", "list", "--json").stdout)]
    assert sorted(after) == sorted([*before, "mean/mean"])


def test_the_third_party_plugin_is_shown(with_mean):
    done = with_mean.run("spikecore", "show", "mean/mean")
    assert done.returncode == 0, done.stderr
    assert "spike frames averaged" in done.stdout


def test_the_third_party_plugin_reconstructs(with_mean, tmp_path):
    table = '[source]\nuse = "builtin/scene"\nheight = 21\nwidth = 23\nlength = 60\n[reconstructor]\nuse = "{}"\n'
    pictures = []
    for method in ("mean", "classic/tfp"):
        path = tmp_path / f"{method.replace('/', '-')}.toml"
        path.write_text(table.format(method))
        output = path.with_suffix(".npy")
        done = with_mean.run("spikecore", "run", str(path), "-o", str(output), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        pictures.append(np.load(output))
    assert np.array_equal(*pictures)


def test_the_third_party_plugin_passes_its_tests(with_mean, tmp_path):
    tests = EXAMPLES / "spikecore-plugin-mean" / "tests"
    done = with_mean.run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tests), cwd=tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.name)
def test_experiments_run(path, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "spikecore", "run", str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    experiment = Experiment.from_file(path, PluginHost.discover())
    assert (tmp_path / experiment.run.output).stat().st_size > 0
    for metric in experiment.many("metric"):
        assert float(done.stdout.partition(metric.component.id)[2].split()[0]) > WORST[metric.component.id]


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
