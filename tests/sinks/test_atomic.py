from __future__ import annotations

import os
from pathlib import Path

import pytest

from spikecore import PluginHost
from spikecore.errors import OutputError, UsageError
from spikecore.files.atomic import atomic, file_name
from spikecore.files.recordings import write_stream

SCENE = {"height": 16, "width": 24, "length": 20}


def test_atomic_removes_the_temporary_file_after_an_error(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("older")

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_turns_os_errors_into_output_errors(tmp_path):
    def fill():
        with atomic(Path(tmp_path / "a.txt")), open("/dev/full", "w") as full:
            full.write("x" * 10_000)

    with pytest.raises(OutputError, match="No space left"):
        fill()


@pytest.fixture
def recording(tmp_path):
    """A host, a stream, and the path of an older recording that has a companion file."""
    host = PluginHost.discover()
    stream = host.build(host.find("builtin/scene"), SCENE)[0].spikes
    write_stream(host, stream[:5], tmp_path / "a.dat", None, {})
    assert len(list(tmp_path.iterdir())) == 2
    return host, stream, tmp_path / "a.dat"


@pytest.mark.parametrize("file", [1, 2])
def test_a_recording_and_its_companion_are_written_both_or_not_at_all(recording, monkeypatch, file):
    host, stream, path = recording
    before = {one: one.read_bytes() for one in path.parent.iterdir()}
    fsync, seen = os.fsync, []

    def full(descriptor):
        seen.append(descriptor)
        if len(seen) == file:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"a\.dat could not be written: No space left"):
        write_stream(host, stream, path, None, {})
    assert {one: one.read_bytes() for one in path.parent.iterdir()} == before


def test_a_companion_never_describes_another_recording(recording, monkeypatch):
    host, stream, path = recording
    replaced = []
    replace = os.replace

    def note(source, target):
        replaced.append((Path(source).name, Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "replace", note)
    write_stream(host, stream, path, None, {})
    assert replaced[0][0] == "a.dat.toml", "the old one goes first"
    assert [target for _, target in replaced[1:]] == ["a.dat", "a.dat.toml"]
    assert len(list(path.parent.iterdir())) == 2


def test_a_recording_is_not_written_over_the_file_it_is_read_from(recording, tmp_path):
    host, _, path = recording
    os.link(path, tmp_path / "b.npz")
    before = {one: one.read_bytes() for one in tmp_path.iterdir()}
    stream = host.build(host.find("vidar/dat"), {"path": str(path)})[0].spikes
    for output in (path, tmp_path / "b.npz"):
        with pytest.raises(UsageError, match="is the input itself"):
            write_stream(host, stream[1:3], output, None, {})
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == before
    write_stream(host, stream[1:3], tmp_path / "c.dat", None, {})


def test_different_keys_have_different_file_names():
    keys = ["a/b", "a_b", "a%2Fb", "a\\b", "..", ".", "a b", "ä"]
    made = [file_name(key) for key in keys]
    assert len(set(made)) == len(keys)
    assert all(Path(name).name == name and not name.startswith(".") for name in made)
