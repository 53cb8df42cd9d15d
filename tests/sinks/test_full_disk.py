"""A disk that is full at any moment: an error that names the file, and nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from spikecore.errors import OutputError

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from spikecore.data.kinds import Data
from spikecore.errors import OutputError
from spikecore.plugin.sink import Target
from spikecore.sinks.open import open_sink

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, kind = Path(sys.argv[1]), Data(sys.argv[2])
random = np.random.default_rng(0)
shape, count = {"image": (64, 64), "depth": (1, 64, 64), "label": (300,)}[kind], 60
results = [random.random(shape, np.float32) for _ in range(count)]

def attempt(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    sink = None
    try:
        sink = open_sink(None, Target(path, count), kind)
        for number, result in enumerate(results):
            sink.write(number, result)
        return sink.commit()
    except OutputError as error:
        kept = sink.interrupt() if sink else None
        assert kept is None or kept == path and not path.suffix, kept
        assert str(path) in str(error), error
        return None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

before = sorted(path.parent.rglob("*"))
for limit in map(int, sys.argv[3:]):
    assert attempt(limit) is None, f"{limit} bytes are enough"
    assert sorted(path.parent.rglob("*")) == before, limit
    assert not path.suffix or path.read_text() == "an older result"
assert sys.argv[3:] or attempt(resource.RLIM_INFINITY) == path
"""


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        *[(suffix, "image") for suffix in (".npy", ".h5", ".mp4", ".avi", ".webm", "")],
        *[("", "depth"), (".mp4", "depth"), (".csv", "label"), (".json", "label")],
    ],
)
def test_a_full_disk_is_reported_and_the_older_file_stays(tmp_path, suffix, kind):
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / f"v{suffix}"

    def run(*limits):
        command = [sys.executable, "-c", FULL_DISK, str(path), kind, *map(str, limits)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (limits, done.stderr)

    run()
    files = list(path.iterdir()) if path.is_dir() else [path]
    whole = min(file.stat().st_size for file in files)
    for file in files:
        file.write_text("an older result")
    limits = (0, 1, 40, 1000, whole // 2, whole - 1)
    for some in [(limit,) for limit in limits] if suffix == ".h5" else [limits]:  # its writer is started once
        run(*some)


def test_pictures_that_are_complete_stay_and_the_message_says_how_many(tmp_path, monkeypatch, pictures, write):
    fsync = os.fsync

    def full(descriptor):
        if len(list((tmp_path / "v").glob("0*.png"))) == 3:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"00000030\.png could not be written: No space left.*\n  3 pictures before"):
        write(tmp_path / "v", pictures())
    assert sorted(path.name for path in (tmp_path / "v").iterdir()) == [f"000000{n}0.png" for n in range(3)]
