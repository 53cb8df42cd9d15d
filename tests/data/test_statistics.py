"""Statistics of recordings: right numbers, from a bounded look, with a word about frames that never arrived."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikecore import Layout, SpikeStream, UsageError, spike_statistics


def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssFile", "RssAnon")))


def test_numbers_by_hand():
    frames = np.zeros((10, 1, 2), bool)
    frames[::2, 0, 0] = True
    report = spike_statistics(SpikeStream.from_frames(frames))
    assert (report["measured_frames"], report["interval_frames"]) == ("0..9", "0..9")
    assert (report["spike_rate"], report["pixel_rate_min"], report["pixel_rate_max"]) == (0.25, 0, 0.5)
    assert (report["silent_pixels"], report["interval_mean"], report["interval_variation"]) == (0.5, 2, 0)
    assert report["zero_tail"] == 1


def test_blocks_change_nothing(monkeypatch):
    frames = np.random.default_rng(0).random((700, 6, 9)) < 0.3
    whole = spike_statistics(SpikeStream.from_frames(frames))
    monkeypatch.setattr("spikecore.data.statistics._BLOCK", 100)
    assert spike_statistics(SpikeStream.from_frames(frames)) == whole
    assert whole["spike_rate"] == pytest.approx(frames.mean())


def test_middle_of_few_frames_and_none():
    stream = SpikeStream.from_frames(np.random.default_rng(1).random((101, 3, 4)) < 0.5)
    assert spike_statistics(stream, 1)["measured_frames"] == "50..50"
    assert spike_statistics(stream, 10)["measured_frames"] == "45..54"
    with pytest.raises(UsageError, match="at least 1 frame"):
        spike_statistics(stream, 0)


def test_large_recordings_are_looked_at_within_bounds(tmp_path):
    """64 GB that were never written: little memory, and a word about it."""
    path = tmp_path / "hollow"
    with path.open("wb") as file:
        file.truncate(64_000 * 10**6)
    before = resident()
    stream = SpikeStream(np.memmap(path, np.uint8, "r", shape=(64_000, 10**6)), Layout(1000, 8000), name=str(path))
    report = spike_statistics(stream)
    assert resident() - before < 600 * 10**6
    first, last = map(int, report["measured_frames"].split(".."))
    assert last - first + 1 == report["zero_tail"] == 2**30 // 10**6
    assert report["never_written"] > 0.99


def test_a_written_file_has_no_such_doubts(tmp_path):
    path = tmp_path / "clip"
    frames = np.full((4000, 50), 0x55, np.uint8)
    frames.tofile(path)
    report = spike_statistics(SpikeStream(np.memmap(path, np.uint8, "r", shape=frames.shape), Layout(10, 40)))
    assert not {"zero_tail", "never_written"} & set(report)
    frames[-30:] = 0
    assert spike_statistics(SpikeStream(frames, Layout(10, 40)))["zero_tail"] == 30


def test_large_pictures_are_looked_at_in_the_middle():
    packed = np.zeros((2, 3000 * 2000 // 8), np.uint8)
    stream = SpikeStream(packed, Layout(3000, 2000))
    assert spike_statistics(stream)["silent_pixels"] == 1
    inside = Layout(3000, 2000).pack(np.pad(np.ones((1, 100, 100), bool), ((0, 0), (1450, 1450), (950, 950))))
    assert spike_statistics(SpikeStream(inside, Layout(3000, 2000)))["spike_rate"] > 100 * 100 / (3000 * 2000)


def test_stops_when_it_is_told_to(tmp_path):
    """Between two blocks, whatever the length of the recording."""
    path = tmp_path / "hollow"
    with path.open("wb") as file:
        file.truncate(200 * 10**9)
    program = f"""
import os, signal, threading
import numpy as np
from spikecore import Layout, SpikeStream, spike_statistics
stream = SpikeStream(np.memmap({str(path)!r}, np.uint8, "r", shape=(200_000, 10**6)), Layout(1000, 8000))
stream[:2].counts()
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    while True:
        spike_statistics(stream)
except KeyboardInterrupt:
    print("stopped")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "stopped\n", done.stderr
