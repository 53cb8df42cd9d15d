"""`convert` to HDF5, stopped at any moment or on a full disk: exit codes, and nothing left."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import spikecore as sc


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    frames = np.random.default_rng(0).random((64, 250, 400)) < 0.2
    return sc.save(sc.SpikeStream.from_frames(np.tile(frames, (16, 1, 1))), folder / "a.npz")


def convert(clip, path, **options):
    command = [sys.executable, "-m", "spikecore", "convert", str(clip), str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_heard_whenever_it_comes(clip, tmp_path, number):
    """It is sent when the unfinished file appears, and ever later."""
    heard = 0
    for delay in (0, 0.1, 0.3):
        running = convert(clip, tmp_path / "a.h5")
        while running.poll() is None and not list(tmp_path.glob(".*.partial.h5")):
            time.sleep(0.005)
        time.sleep(delay)
        running.send_signal(number)
        said = running.communicate(timeout=20)[1]
        left = [one.name for one in tmp_path.iterdir()]
        assert (running.returncode, left) in [(130, []), (0, ["a.h5"])], said
        assert "ignored" not in said
        heard += running.returncode == 130
        (tmp_path / "a.h5").unlink(missing_ok=True)
    assert heard


@pytest.mark.parametrize("size", [100, 10**6])
def test_a_full_disk_is_told(clip, tmp_path, size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    running = convert(clip, tmp_path / "a.h5", preexec_fn=limit)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 1
    assert "could not be written: File too large" in said
    assert "Traceback" not in said
    assert not [one.name for one in tmp_path.iterdir()]
