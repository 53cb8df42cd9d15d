"""Recordings described and converted."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

import spikecore
from spikecore.cli import main


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


def event_file(path, x):
    with h5py.File(path, "w") as file:
        count = len(x)
        columns = {"x": x, "y": np.zeros(count, int), "t": np.arange(count) * 10, "p": np.arange(count) % 3 == 0}
        file.update({f"events/{name}": values for name, values in columns.items()})
        file["events"].attrs.update(height=48, width=64)


def test_info_of_events(run, tmp_path):
    event_file(tmp_path / "a.h5", np.arange(60))
    report = json.loads(run("info", "a.h5", "--json"))
    assert report == {
        "recording": "a", "height": 48, "width": 64, "events": 60, "first_us": 0, "last_us": 590, "span_us": 590,
        "event_rate_hz": pytest.approx(60 / 590e-6), "events_on": 20, "events_off": 40,
    }  # fmt: skip
    assert "span us:                    590\n" in run("info", "a.h5")


def test_info_names_events_outside_the_sensor(run, tmp_path):
    event_file(tmp_path / "a.h5", np.where(np.arange(60) % 20 == 3, 64, 0))
    report = json.loads(run("info", "a.h5", "--json"))
    assert (report["events_outside"], report["first_outside"]) == (3, "event 3 at column 64, row 0")
    assert "first outside:              event 3 at column 64, row 0\n" in run("info", "a.h5")


def test_info_of_several_cameras(run, monkeypatch):
    camera = spikecore.EventStream([1, 2], [0, 0], [5, 9], [1, 0], 4, 6)
    sample = spikecore.Sample(key="pair", events=[camera, camera[:1]])
    monkeypatch.setattr("spikecore.cli.recording._samples", lambda path, values: [sample])
    report = json.loads(run("info", "any", "--json"))
    assert (report["events_0"], report["events_1"], report["events_on_1"], report["width_1"]) == (2, 1, 1, 6)


def test_info_of_a_folder_goes_on_after_a_recording_that_cannot_be_read(recording, tmp_path, capsys):
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("a", "c"):
        (folder / f"{name}.dat").write_bytes(recording.read_bytes())
    (folder / "b.dat").write_bytes(recording.read_bytes()[:-7])
    options = ("--source", "vidar/folder", "--in", "spikes=.", "--in", "targets=", "--height", 40, "--width", 64)
    with pytest.raises(SystemExit) as end:
        main(["info", str(folder), *map(str, options), "--json"])
    said = capsys.readouterr()
    assert end.value.code == 1
    assert "1 of 3 recordings cannot be read" in said.err
    first, bad, last = json.loads(said.out)
    assert (first["frames"], bad["recording"], last["frames"]) == (120, "number 1", 120)
    assert "b.dat" in bad["error"]


@pytest.mark.parametrize("data", [b"% evt 3.0\n" + bytes(800), b"#!AER-DAT2.0\r\n" + bytes(800)])
def test_info_of_an_event_recording_says_what_it_is(run, tmp_path, data):
    for name in ("a.dat", "a.raw", "a.aedat"):
        (tmp_path / name).write_bytes(data)
        error = run("info", name, "--height", 8, "--width", 8, "--allow-truncated", code=1)
        assert "event recording" in error
        assert "NAME.events.h5" in error
