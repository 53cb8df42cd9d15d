"""An output has one writer at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from spikecore.errors import UsageError
from spikecore.files import held as module
from spikecore.files.held import held, held_folder

HOLD = """
import sys, time
from pathlib import Path
from spikecore.files.held import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["a folder", "a file", "a file not there"])
def output(request, tmp_path):
    path = tmp_path / "out"
    if request.param == "a folder":
        path.mkdir()
    elif request.param == "a file":
        path.write_text("old")
    return path


@pytest.fixture(params=["with fcntl", "without"])
def system(request, monkeypatch):
    if request.param == "without":
        monkeypatch.setattr(module, "fcntl", None)
    return request.param


def test_it_is_held_once_and_free_afterwards(output, system):
    before = list(output.parent.rglob("*"))
    for _ in range(2):
        with held(output), pytest.raises(UsageError, match=f"{output} is in use by process {os.getpid()}"):
            held(output).__enter__()
    assert list(output.parent.rglob("*")) == before


def test_another_spelling_is_the_same_output(output, tmp_path):
    (tmp_path / "link").symlink_to(output)
    with held(tmp_path / "link"), pytest.raises(UsageError, match="in use"):
        held(tmp_path / "." / "out").__enter__()


def test_a_killed_process_lets_go(output):
    with subprocess.Popen([sys.executable, "-c", HOLD, output], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"in use by process {process.pid}; wait for it, or name another"):
            held(output).__enter__()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with held(output):
        pass
    assert not [path for path in output.parent.rglob("*") if "lock" in path.name]


def test_without_locks_of_the_system_a_message_says_which_file_to_remove(output, monkeypatch):
    monkeypatch.setattr(module, "fcntl", None)
    lock = output / ".lock" if output.is_dir() else None
    with held(output), pytest.raises(UsageError, match="if there is no such process, remove ") as error:
        held(output).__enter__()
    assert lock is None or str(error.value).endswith(str(lock))


def test_a_folder_is_made(tmp_path):
    with held_folder(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []
