"""Recordings reconstructed, experiments run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

import spikecore
from spikecore.plugin.host import PluginHost


@pytest.mark.parametrize("limits", [["--start", "50"], ["--stop", "70"], ["-s", "run.start=50", "--stop", "70"]])
def test_one_instant_and_a_video_exclude_each_other(run, recording, limits):
    said = run("reconstruct", recording, "-m", "classic/tfp", "--at", "60", *limits, "-o", "a.npy", code=2)
    assert "at=60 is one instant" in said
    assert "give one or the other" in said
    (recording.parent / "e.toml").write_text(
        '[source]\nuse = "scene"\n[reconstructor]\nuse = "tfp"\n[run]\nat = 50\nstart = 40\noutput = "a.npy"\n'
    )
    assert "at=50 is one instant, start=40" in run("run", "e.toml", code=2)


def test_slow_videos_keep_their_rate_and_slower_ones_are_refused(run, recording):
    for name in ("a.mp4", "a.avi", "a.webm"):
        run("reconstruct", recording, "-m", "classic/tfp", "--stride", "30", "--fps", "0.25", "-o", name)
        assert cv2.VideoCapture(name).get(cv2.CAP_PROP_FPS) == 0.25
    said = run("reconstruct", recording, "-m", "classic/tfp", "--fps", "0.0004", "-o", "b.mp4", code=2)
    assert "'fps' must be >= 0.25" in said


def test_reconstruct_writes_a_video_and_its_recipe(run, recording, tmp_path):
    out = run("reconstruct", recording, "-m", "classic/tfp", "-s", "window=31", "--stride", "10", "-o", "v.mp4")
    assert out.strip() == "v.mp4"
    capture = cv2.VideoCapture("v.mp4")
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 9
    recipe = json.loads((tmp_path / "v.mp4.run.json").read_text())
    assert recipe["experiment"]["reconstructor"]["window"] == 31
    run("run", "v.mp4.run.json", "-o", "again.npy")
    again = np.load("again.npy", allow_pickle=False)
    for picture in again:
        seen = capture.read()[1][..., 0] / 255
        assert np.abs(seen - picture).mean() < 0.02


def test_the_recordings_own_gain_is_used_unless_another_is_given(run, recording):
    run("reconstruct", recording, "-m", "classic/tfp", "--at", "60", "-o", "own.npy")
    run("reconstruct", recording, "-m", "classic/tfp", "--at", "60", "--gain", "1", "-o", "one.npy")
    assert np.allclose(np.clip(np.load("one.npy") / 0.6, 0, 1), np.load("own.npy"), atol=1e-6)


def test_run_checks_without_torch(tmp_path, recording):
    (tmp_path / "e.toml").write_text(
        '[source]\nuse = "vidar/dat"\npath = "scene.dat"\n'
        '[reconstructor]\nuse = "classic/tfp"\n[run]\noutput = "v.npy"\n'
    )
    code = (
        "import sys\nfrom spikecore.cli import main\n"
        "try: main(['run', 'e.toml', '--check'])\nexcept SystemExit as end: assert not end.code\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_ctrl_c_in_the_middle_of_a_video(recording, tmp_path):
    command = [sys.executable, "-m", "spikecore", "reconstruct", "big.dat", "-m", "classic/tfstp", "-o", "v.npy"]
    host = PluginHost.discover()
    stream = spikecore.open(recording)
    big = spikecore.SpikeStream(np.tile(stream.packed, (400, 1)), stream.layout)
    spikecore.save(big, tmp_path / "big.dat", host=host)
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(p.stat().st_size > 1000 for p in tmp_path.glob(".v-*.npy")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "go on with --start" in said
    kept = np.load(tmp_path / "v.partial.npy", allow_pickle=False)
    assert f"the first {len(kept)} are in v.partial.npy" in said
    assert not (tmp_path / "v.npy").exists()
    assert not list(tmp_path.glob(".v-*"))
