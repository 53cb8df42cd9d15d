"""The campaign finds what is planted for it, and nothing in the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
QUICK = ("npz-own", "npz-foreign", "npy", "dat", "description", "truth", "picture", "h5-own", "events-own")


@pytest.fixture
def here(monkeypatch):
    """The modules of the campaign can be imported, here and in what is started here."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(HERE)):
            del sys.modules[name]


def attack(*words, timeout=280):
    return subprocess.run([sys.executable, HERE, *words], capture_output=True, text=True, timeout=timeout)


def test_planted_faults_are_found(here, tmp_path):
    import fuzz
    import planted

    campaign = fuzz.Campaign("planted", 1, 4.0, tmp_path / "seeds", tmp_path / "kept")
    campaign.run(dict.fromkeys(planted.TARGETS, 1), workers=2)
    found = {name: dict(one.counts) for name, one in campaign.outcomes.items()}
    assert found == {
        "refuses": {"refused": 1},
        "raw": {"raw": 1},
        "crash": {"crash": 1},
        "hang": {"hang": 1},
        "memory": {"memory": 1},
        "claims": {"memory": 1},
        "different": {"different": 1},
        "other": {"other": 1},
    }
    kept = {path.name.partition("-")[0] for path in (tmp_path / "kept").iterdir()}
    assert kept == {"raw", "crash", "hang", "memory", "claims", "different"}
    assert "hang 1 times, e.g. input 0: planted.py" in fuzz.table(campaign.outcomes)


def test_inputs_come_again(here, tmp_path):
    import seeds
    from inputs import Inputs
    from targets import TARGETS

    seeds.npz_foreign(tmp_path)
    inputs = Inputs("npz-foreign", TARGETS["npz-foreign"], tmp_path)
    first = [inputs.make(1, number) for number in range(200)]
    assert first == [inputs.make(1, number) for number in range(200)]
    assert len({one.data for one in first}) > 180
    assert {one.repaired for one in first} == {True, False}


@pytest.mark.parametrize("manner", ["good", "bad"])
def test_half_files_are_found(here, monkeypatch, manner):
    import commands
    import interrupted

    monkeypatch.setattr(interrupted, "given", lambda folder: {})
    monkeypatch.setitem(commands.COMMANDS, "planted", commands.Command(manner, "1", "2", module="planted_writer"))
    _, found = interrupted.attack(1, 1, 1, ["planted"])
    assert any("neither the old nor the new file" in fault for fault in found) == (manner == "bad"), found
    assert bool(found) == (manner == "bad"), found


def test_readers_in_short():
    done = attack("--inputs", "300", *(word for name in QUICK for word in ("--target", name)))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("part", ["full-disk", "kills", "plugins"])
def test_writers_and_plugins(part):
    done = attack("--target", part, "--kills", "12", timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(2000)
def test_readers():
    done = attack("--inputs", "10000", "--target", "readers", timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
