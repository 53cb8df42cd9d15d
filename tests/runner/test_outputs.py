"""What a run writes: one run at a time, over nothing that it reads, and nothing of two runs mixed."""

from __future__ import annotations

import os
import shutil

import pytest

from spikecore.errors import OutputError, SpikecoreError, UsageError
from spikecore.files.held import held
from spikecore.runner.execute import execute
from spikecore.runner.record import OlderPictures

from . import mean
from .mean import experiment


def pictures(folder):
    return sorted(path.name for path in folder.glob("*.png"))


def test_one_run_at_a_time_writes_an_output(host, tmp_path):
    for name in ("v.npy", "out"):
        path = tmp_path / name
        execute(experiment(host, output=str(path)))
        before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
        with held(path), pytest.raises(UsageError, match=f"{name} is in use by process {os.getpid()}"):
            execute(experiment(host, output=str(path)))
        assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before
        execute(experiment(host, output=str(path)))


def test_a_folder_of_other_results_is_no_folder_for_pictures(host, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text('{"layout": "something else"}')
    (tmp_path / "out" / "means.csv").write_text("1")
    with pytest.raises(OutputError, match="out holds results of another run"):
        execute(experiment(host, output=str(tmp_path / "out"), start=4, stop=8))
    assert pictures(tmp_path / "out") == []


def test_pictures_that_an_earlier_run_left_between_are_said(host, tmp_path):
    run = {"output": str(tmp_path / "out"), "stride": 4}
    execute(experiment(host, start=4, stop=16, **run))
    with pytest.warns(OlderPictures, match="keeps 3 pictures of other instants"):
        execute(experiment(host, start=6, stop=18, **run))
    execute(experiment(host, start=16, stop=20, output=str(tmp_path / "b"), stride=4))
    execute(experiment(host, start=20, stop=28, output=str(tmp_path / "b"), stride=4))  # goes on in step
    assert len(pictures(tmp_path / "b")) == 3


@pytest.mark.parametrize("existing", ["v.npy.run.json", "v.npy"])
def test_a_result_that_cannot_be_written_leaves_the_older_one_and_its_record(host, tmp_path, monkeypatch, existing):
    path = tmp_path / "v.npy"
    execute(experiment(host, output=str(path), gain=2.0))
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    fsync = os.fsync

    def full(descriptor):
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        if name.endswith(".json" if existing.endswith("json") else ".npy"):
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        execute(experiment(host, output=str(path)))
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir() if "partial" not in one.name} == before


def test_recordings_of_one_key_do_not_replace_each_other(host, tmp_path, monkeypatch):
    made = mean.Recordings.__getitem__
    monkeypatch.setattr(mean.Recordings, "__getitem__", lambda self, index: made(self, 0))
    with pytest.raises(
        SpikecoreError, match=r"2 of 3 recordings failed(.|\n)*whose key 'night/0' number 1 has as well"
    ):
        execute(experiment(host, {"use": "fake/recordings"}, output=str(tmp_path / "v.npy")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v-night%2F0.npy", "v-night%2F0.npy.run.json"]


@pytest.fixture
def recording(tmp_path):
    """A recording of 0 and 1 as a NumPy file, under three names, and a host that reads it."""
    import numpy as np

    path = tmp_path / "a.npy"
    np.save(path, np.random.default_rng(0).integers(0, 2, (60, 16, 24), np.uint8))
    os.link(path, tmp_path / "b.npy")
    (tmp_path / "c.npy").symlink_to("a.npy")
    (tmp_path / "v.partial.npy").symlink_to("a.npy")
    return path


@pytest.mark.parametrize("output", ["a.npy", "./../{}/a.npy", "b.npy", "c.npy", "v.npy"])
def test_a_run_does_not_write_over_its_recording(recording, output, run_command):
    """Neither under its own name, nor of what is kept of a run that is stopped."""
    folder = recording.parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = run_command("reconstruct", recording, "-m", "classic/tfp", "-o", folder / output.format(folder.name), code=2)
    assert "is the input itself" in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_run_does_not_fill_the_folder_that_it_reads(recording, run_command):
    shutil.rmtree(recording.parent / "set", ignore_errors=True)
    (recording.parent / "set").mkdir()
    os.replace(recording, recording.parent / "set" / "a.npy")
    source = ["--source", "vidar/folder", "--in", "spikes='.'", "--in", "targets=''", "--in", "pattern='*.npy'"]
    command = ["reconstruct", recording.parent / "set", *source, "-m", "classic/tfp", "-o"]
    assert "is the input itself" in run_command(*command, recording.parent / "set", code=2)
    run_command(*command, recording.parent / "set" / "out", "--at", 30)


def test_an_experiment_is_not_written_over(recording, run_command, tmp_path):
    table = '{"source": {"use": "vidar/npy", "path": "a.npy"}, "reconstructor": {"use": "classic/tfp"}}'
    (tmp_path / "e.json").write_text(table)
    assert "is the input itself" in run_command("run", "e.json", "-o", "e.json", code=2)
    run_command("run", "e.json", "-o", "v.h5")
    run_command("run", "v.h5.run.json", "-o", "v.h5")  # repeats it, and writes the same record


@pytest.fixture
def run_command(tmp_path, monkeypatch, capsys):
    """Runs a command of spikecore in the folder of the test; gives what it said on standard error."""
    from spikecore.cli import main

    monkeypatch.chdir(tmp_path)

    def run_command(*arguments, code=0):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr().err
        assert (end.value.code or 0) == code, said
        return said

    return run_command
