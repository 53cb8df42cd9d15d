"""`spikecore compare` and `demo`: an evaluation of one recording, shown as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

import spikecore
from spikecore import PluginHost


@pytest.fixture
def compare(run):
    return lambda *arguments, code=0: run("compare", *arguments, code=code)


@pytest.fixture
def recording(recordings):
    return recordings / "spike" / "clip0.dat"


@pytest.fixture
def truth(recordings):
    return recordings / "gt" / "clip0.png"


def test_a_comparison_has_a_record_that_repeats_it(compare, evaluate, recording, truth):
    judged = ["-m", "classic/tfp window=21", "-m", "classic/tfi", "--truth", truth, "--at", 30]
    rows = json.loads(compare(recording, *judged, "-o", "night.png", "--json").out)
    recipe = json.loads(Path("night.png.run.json").read_text())
    assert recipe["experiment"]["source"]["path"] == str(recording)
    assert recipe["inputs"]["source.path"]["bytes"] == recording.stat().st_size
    again = json.loads(evaluate("night.png.run.json", "--json").out)
    assert [row["builtin/psnr"] for row in again[:2]] == pytest.approx([row["builtin/psnr"] for row in rows])


def test_it_is_an_evaluation_of_one_recording(compare, evaluate, judges, recording, truth):
    """The same values, of the ground truth too, and the same picture."""
    judged = ["-m", "classic/tfp window=21", "-m", "classic/tfi"]
    metrics = ["--metric", "builtin/psnr", "--metric", "judges/brightness"]
    rows = json.loads(compare(recording, *judged, *metrics, "--truth", truth, "-o", "one.png", "--json").out)
    given = ["--in", f"image='{truth}'", "--in", "at=30"]
    held = json.loads(evaluate(recording, *judged, *metrics, *given, "-o", "out", "--json").out)
    measured = ["method", "builtin/psnr", "judges/brightness"]
    assert [[row[name] for name in measured] for row in rows] == [[row[name] for name in measured] for row in held[:3]]
    assert [row["method"] for row in rows] == ["classic/tfp window=21", "classic/tfi", "ground truth"]
    assert list(rows[0]) == ["method", "time ms (median)", "memory MB", "builtin/psnr", "judges/brightness"]
    assert Path("one.png").read_bytes() == Path("out/pictures/clip0.png").read_bytes()


def test_without_ground_truth_there_is_a_hint_and_a_record_that_works(compare, evaluate, recording):
    said = compare(recording, "-m", "classic/tfp", "--at", 25)
    assert "no ground truth: give it with --truth IMAGE --at FRAME" in said.err
    assert "instant 25 of clip0: compare.png" in said.out
    assert "psnr" not in said.out
    assert cv2.imread("compare.png").shape[1] == 32
    evaluate("compare.png.run.json")


def test_a_source_that_cannot_state_a_ground_truth(compare, evaluate, recording, truth):
    """The picture is judged by it, the record goes without."""
    stream = spikecore.open(recording)
    array = spikecore.save(stream, Path("clip0.npy"))
    arguments = ["-m", "classic/tfp", "--truth", truth, "--at", 30, "--gain", stream.gain, "--json"]
    (row,) = json.loads(compare(array, *arguments, "-o", "array.png").out)
    (other,) = json.loads(compare(recording, *arguments).out)
    assert row["builtin/psnr"] == pytest.approx(other["builtin/psnr"])
    assert "metric" not in json.loads(Path("array.png.run.json").read_text())["experiment"]
    evaluate("array.png.run.json")


@pytest.mark.parametrize("kind", ["float.tif", "colour.png", "grey16.png"])
def test_a_ground_truth_counts_the_same_wherever_it_is_given(compare, evaluate, recording, kind):
    """By --truth, by the option of the source, and computed here."""
    stream = spikecore.open(recording)
    values = (np.arange(24 * 32).reshape(24, 32) % 256).astype(np.uint8)
    intensity = values / 255
    saved = {"float.tif": intensity.astype(np.float32), "colour.png": np.dstack([values] * 3)}
    cv2.imwrite(kind, saved.get(kind, values.astype(np.uint16) * 257))
    judged = ["-m", "classic/tfp window=21", "--json"]
    (row,) = json.loads(compare(recording, *judged, "--truth", kind, "--at", 30).out)
    picture = (stream.unpack()[20:41].mean(0) * stream.gain).clip(0, 1)
    expected = -10 * np.log10(np.square(picture - intensity).mean())
    assert row["builtin/psnr"] == pytest.approx(expected, abs=1e-3)
    (other, *_) = json.loads(evaluate("compare.png.run.json", "--json").out)
    assert other["builtin/psnr"] == pytest.approx(row["builtin/psnr"], abs=1e-6)


def test_a_ground_truth_has_the_size_of_the_camera_that_saw_events(compare):
    cv2.imwrite("truth.png", np.zeros((4, 5), np.uint8))
    with h5py.File("a.events.h5", "w") as file:
        file["events/x"], file["events/y"] = np.zeros((2, 9), np.int16)
        file["events/t"], file["events/p"] = np.arange(9), np.ones(9, np.uint8)
        file["events"].attrs.update(height=24, width=32)
    said = compare("a.events.h5", "-m", "classic/tfp", "--truth", "truth.png", "--at", 5, code=1)
    assert "truth.png: a picture of 4x5; expected 24x32" in said.err


def test_a_label_is_ground_truth(compare, evaluate, install):
    install("seers")
    Path("clip.labelled").touch()
    judged = ["-m", "seers/blind", "--metric", "seers/accuracy"]
    (row,) = json.loads(compare("clip.labelled", *judged, "--json").out)
    assert row["seers/accuracy"] == 100.0
    (again, _) = json.loads(evaluate("clip.labelled", *judged, "--json").out)
    assert again["seers/accuracy"] == 100.0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["set"], 2, "give the methods to compare"),
        (["set", "--source", "vidar/folder", "-m", "classic/tfp"], 2, "set holds 3 recordings; compare takes one"),
        (["set/spike/clip0.dat", "-m", "classic/tfp", "-m", "classic/tfp"], 2, "'classic/tfp' is given twice"),
        (["set/spike/clip0.dat", "-m", "classic/tfp", "--truth", "none.png"], 1, "no such file"),
        (["set/spike/clip0.dat", "-m", "classic/tfp", "--metric", "seers/accuracy"], 2, "needs label"),
    ],
)
def test_what_cannot_be_compared(compare, install, recordings, arguments, code, message):
    install("seers")
    assert message in compare(*arguments, code=code).err
    assert not list(Path().glob("*.png"))


def test_a_method_that_fails_is_left_out_of_the_picture(compare, players, recording):
    said = compare(recording, "-m", "players/quitter", "-m", "players/mean", code=1)
    assert "players/mean" in said.out
    assert "1 of 1 recordings could not be judged wholly:\n  clip0: players/quitter" in said.err
    assert cv2.imread("compare.png").shape[1] == 32


def test_dark_pictures_get_a_hint(compare, recording):
    assert "dark" not in compare(recording, "-m", "classic/tfp").err
    hint = compare(recording, "-m", "classic/tfp", "--gain", 0.1).err
    assert "the pictures are dark" in hint
    gain = hint.rpartition("--gain ")[2].strip()
    assert "dark" not in compare(recording, "-m", "classic/tfp", "--gain", gain).err


def test_json_has_no_infinity(compare, tmp_path):
    """A perfect picture has an infinite PSNR, for which JSON has no word."""
    night = spikecore.SpikeStream.from_frames(np.zeros((61, 24, 32), bool))
    recording = spikecore.save(night, tmp_path / "night.dat")
    cv2.imwrite("truth.png", np.zeros((24, 32), np.uint8))
    arguments = [recording, "--no-check", "-m", "classic/tfp", "--truth", "truth.png", "--json"]
    (row,) = json.loads(compare(*arguments).out, parse_constant=pytest.fail)
    assert row["builtin/psnr"] is None


@pytest.fixture
def few(monkeypatch):
    """Only plugins that are quick."""
    monkeypatch.setenv("SPIKECORE_PLUGINS", "builtin,classic,evaluate,vidar")


def test_the_demo_shows_what_is_installed(few, run):
    said = run("demo", "-o", "shown").out
    names = [component.id for component in PluginHost.discover().components("reconstructor")]
    assert len(names) > 2
    lines = said.splitlines()
    assert [line.split()[0] for line in lines[3 : 3 + len(names)]] == names
    assert lines[2].split("  ")[-1] == "builtin/psnr"
    assert cv2.imread("shown/grid.png").shape[:2] == (-(-(len(names) + 1) // 3) * 272, 3 * 400)
    host = PluginHost.discover()
    sample = spikecore.open_source("shown/scene.dat", host=host)[0]
    assert (sample.spikes.height, sample.spikes.width, len(sample.spikes)) == (250, 400, 240)


def test_a_demo_of_nothing_says_what_to_install(monkeypatch, run):
    monkeypatch.setenv("SPIKECORE_PLUGINS", "builtin,evaluate,vidar")
    assert "pip install spikecore-plugin-classic" in run("demo", code=2).err
    assert not Path("spikecore-demo").exists()
