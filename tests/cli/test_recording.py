"""Recordings described and converted."""

from __future__ import annotations

import json

import numpy as np
import pytest

import spikecore


def test_info(run, recording):
    report = json.loads(run("info", recording, "--json"))
    assert (report["height"], report["width"], report["frames"]) == (40, 64, 120)
    stream = spikecore.open(recording)
    assert report["spike_rate"] == pytest.approx(stream.counts().mean() / 120)
    assert report["interval_variation"] < 0.5
    assert "spike rate" in run("info", recording)


@pytest.mark.parametrize("name", ["a.npz", "a.h5", "a.dat"])
def test_convert_keeps_every_bit(run, recording, tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    run("convert", recording, folder / name, "--start", "3", "--stop", "100")
    assert np.array_equal(spikecore.open(folder / name).unpack(), spikecore.open(recording)[3:100].unpack())


def test_info_says_which_frames_its_intervals_are_from(run, tmp_path):
    """Intervals of 2 frames in the first 2000 of the measured frames, of 10 afterwards."""
    fired = np.zeros((5000, 2, 4), bool)
    fired[:3000:2] = True
    fired[3000::10] = True
    spikecore.save(spikecore.SpikeStream.from_frames(fired, rate=20000.0), tmp_path / "a.npz")
    report = json.loads(run("info", "a.npz", "--json"))
    assert (report["measured_frames"], report["interval_frames"]) == ("0..4999", "0..1999")
    assert report["interval_mean"] == 2
    report = json.loads(run("info", "a.npz", "--json", "--frames", 1000))
    assert report["interval_frames"] == report["measured_frames"] == "2000..2999"
    mixed = json.loads(run("info", "a.npz", "--json", "--frames", 4000))  # 500..4499: 500..2499 are looked at
    assert (mixed["interval_frames"], mixed["interval_mean"]) == ("500..2499", 2)
    assert "interval frames:" in run("info", "a.npz")
