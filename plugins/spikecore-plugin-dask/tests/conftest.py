from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for `dask_work`, which workers import by name


@pytest.fixture
def until():
    """Wait for something that takes a moment, and return it."""

    def until(met, seconds=30):
        end = time.monotonic() + seconds
        while not (found := met()):
            assert time.monotonic() < end, "nothing happened"
            time.sleep(0.02)
        return found

    return until


@pytest.fixture
def gone():
    """Whether a process is no more."""

    def gone(pid):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    return gone


@pytest.fixture
def dask(tmp_path):
    """dask("scheduler", …): a dask program in the background, ended after the test."""
    started = []

    def dask(*words, path=HERE):
        command = [sys.executable, "-m", "dask", *map(str, words)]
        environment = {**os.environ, "PYTHONPATH": str(path)}
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)
        started.append(process)
        return process

    yield dask
    for process in reversed(started):
        process.kill()  # their own workers notice
        process.wait()


@pytest.fixture
def scheduler(dask, tmp_path, until):
    """A scheduler without workers: its process and its scheduler file."""
    path = tmp_path / "scheduler.json"
    process = dask("scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", path)
    until(lambda: path.exists() and path.read_text())
    return process, path
