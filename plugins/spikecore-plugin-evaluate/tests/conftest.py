from __future__ import annotations

import csv
import signal
import sys
import warnings
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest

import spikecore
from spikecore import PluginHost, RunInfo
from spikecore.cli import main

FAKES = Path(__file__).with_name("fakes")
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
window = 21
[[method]]
use = "classic/tfi"
[[metric]]
use = "builtin/psnr"
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handler, show = signal.getsignal(signal.SIGTERM), warnings.showwarning
    yield
    warnings.showwarning = show
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def run(capsys):
    """run("bench", "-m", …, code=0): a command that must end so; gives what it wrote."""

    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as end:
            main([*map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured

    return run


@pytest.fixture
def evaluate(run):
    return lambda *arguments, code=0: run("evaluate", *arguments, code=code)


@pytest.fixture
def scene(tmp_path):
    """An experiment of three clips, two methods and PSNR."""
    path = tmp_path / "night.toml"
    path.write_text(SCENE)
    return path


@pytest.fixture
def recordings(tmp_path):
    """A folder with three recordings and their ground truth."""
    host = PluginHost.discover()
    scene = host.build(host.find("builtin/scene"), {"height": 24, "width": 32, "length": 61, "clips": 3})
    for part in ("spike", "gt"):
        (tmp_path / "set" / part).mkdir(parents=True)
    for number in range(3):
        sample = scene[number]
        spikecore.save(sample.spikes, tmp_path / "set" / "spike" / f"clip{number}.dat", host=host)
        truth = np.rint(255 * sample.target["image"][0]).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "set" / "gt" / f"clip{number}.png"), truth)
    return tmp_path / "set"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """install("judges"): the fake plugin spikecore_judges is as good as installed, for workers too."""
    installed = []

    def install(name):
        info = tmp_path / "site" / f"spikecore_plugin_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: spikecore-plugin-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[spikecore.plugins]\n{name} = spikecore_{name}\n")
        installed.append(f"spikecore_{name}")
        for folder in (tmp_path / "site", FAKES):
            monkeypatch.syspath_prepend(folder)

    yield install
    for name in installed:
        sys.modules.pop(name, None)


@pytest.fixture
def judges(install):
    """Fake metrics."""
    install("judges")


@pytest.fixture
def players(install):
    """Fake methods, and a fake metric."""
    install("players")


@attrs.define
class Watched:
    """What observers were told of one run."""

    info: RunInfo
    steps: list = attrs.field(factory=list)
    scores: list = attrs.field(factory=list)
    saved: list = attrs.field(factory=list)
    result: dict = attrs.field(factory=dict)


class Watcher:
    """Notes what observers are told."""

    def __init__(self):
        self.runs = []

    def of(self, run):
        (found,) = (one for one in self.runs if one.info.id == run.id)
        return found

    @spikecore.hookimpl
    def spikecore_run_start(self, run):
        self.runs.append(Watched(run))

    @spikecore.hookimpl
    def spikecore_step_end(self, run, step):
        self.of(run).steps.append(step)

    @spikecore.hookimpl
    def spikecore_scores(self, run, scores):
        self.of(run).scores += scores

    @spikecore.hookimpl
    def spikecore_checkpoint_saved(self, run, path):
        self.of(run).saved.append(path)

    @spikecore.hookimpl
    def spikecore_run_end(self, run, result):
        self.of(run).result = dict(result)


@pytest.fixture
def watcher(monkeypatch):
    """Observes what this process does; `watcher.runs` are what it saw, the oldest first."""
    watcher, discover = Watcher(), PluginHost.discover

    def discovered(*arguments, **options):
        host = discover(*arguments, **options)
        host.watch(watcher, "watcher")
        return host

    monkeypatch.setattr(PluginHost, "discover", discovered)
    return watcher


@pytest.fixture
def read():
    """read(path): {(item, method): {metric: value}} of a written .csv."""

    def read(path):
        with Path(path).open() as stream:
            rows = list(csv.DictReader(stream))
        return {
            (row.pop("item"), row.pop("method")): {
                name: float(value) if value else None for name, value in row.items() if name != "judged"
            }
            for row in rows
        }

    return read


@pytest.fixture
def psnr(read):
    """psnr(path): {(item, method): dB} of a written .csv."""
    return lambda path: {key: row["builtin/psnr"] for key, row in read(path).items()}
