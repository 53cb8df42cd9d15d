"""The folder that `spikecore evaluate` leaves: what it holds, and that what is done is kept."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from spikecore_plugin_evaluate.folder import LAYOUT

import spikecore

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def folder(evaluate, scene):
    """What an evaluation left."""
    evaluate(scene)
    return Path("evaluate-night")


def test_it_holds_what_the_readme_says(folder):
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    tables = {f"{name}{suffix}" for name in ("scores", "means") for suffix in (".csv", ".json", ".md")}
    pictures = {f"pictures/scene-5-{clip}.png" for clip in range(3)}
    assert files == {"run.json", *tables, *pictures, *(f"items/{item:06d}.json" for item in range(3))}
    text = README.read_text()
    assert f'"{LAYOUT}"' in text
    for name in ("run.json", "scores.csv", "means.csv", "pictures/KEY.png", "items/NUMBER.json"):
        assert f"`{name}`" in text


def test_the_record_holds_what_the_readme_says(folder):
    record = json.loads((folder / "run.json").read_text())
    promised = ("format", "layout", "experiment", "fingerprint", "versions", "plugins", "weights", "inputs", "machine",
                "written")  # fmt: skip
    assert set(promised) <= record.keys()
    assert all(f"`{key}`" in README.read_text() or f'"{key}"' in README.read_text() for key in promised)
    assert (record["format"], record["layout"]) == ("spikecore run 1", "spikecore evaluation 1")
    assert record["experiment"]["metric"] == [{"use": "builtin/psnr", "crop": 0}]


def test_the_tables_hold_what_the_readme_says(folder):
    with (folder / "scores.csv").open() as stream:
        scores = list(csv.reader(stream))
    with (folder / "means.csv").open() as stream:
        means = list(csv.reader(stream))
    measured = ["time ms (median)", "memory MB", "builtin/psnr"]
    assert scores[0] == ["item", "method", *measured]
    assert means[0] == ["item", "method", "judged", *measured]
    assert [row[:2] for row in scores[1:3]] == [["scene-5-0", "classic/tfp window=21"], ["scene-5-0", "classic/tfi"]]
    assert [row[:3] for row in means[1:]] == [
        ["mean", "classic/tfp window=21", "3 of 3"],
        ["mean", "classic/tfi", "3 of 3"],
    ]
    assert list(json.loads((folder / "scores.json").read_text())[0]) == scores[0]
    assert list(json.loads((folder / "means.json").read_text())[0]) == means[0]


def test_an_item_holds_what_the_readme_says(folder):
    item = json.loads((folder / "items" / "000001.json").read_text())
    assert set(item) == {"fingerprint", "sha256", "result"}
    result = item["result"]
    assert set(result) == {"key", "instant", "scores", "failures", "output"}
    assert (result["key"], result["instant"], result["failures"]) == ("scene-5-1", 30, [])
    assert Path(result["output"]) == folder.resolve() / "pictures" / "scene-5-1.png"
    assert len(result["scores"]) == 2 * 3
    assert all(set(s) == {"item", "method", "metric", "value", "reason", "higher_is_better"} for s in result["scores"])


def test_a_failure_holds_what_the_readme_says(evaluate, players, scene):
    evaluate(scene, "-m", "players/broken", code=1)
    item = json.loads(Path("evaluate-night/items/000001.json").read_text())
    (failure,) = item["result"]["failures"]
    assert set(failure) == {"item", "reason", "traceback"}
    assert failure["item"] == "scene-5-1"


def test_json_has_no_infinity(evaluate, tmp_path, psnr):
    """A perfect picture has an infinite PSNR, for which JSON has no word."""
    import cv2

    night = spikecore.SpikeStream.from_frames(np.zeros((61, 24, 32), bool))
    recording = spikecore.save(night, tmp_path / "night.dat")
    cv2.imwrite("truth.png", np.zeros((24, 32), np.uint8))
    arguments = [recording, "--no-check", "-m", "classic/tfp", "--metric", "builtin/psnr"]
    for _ in range(2):  # the second time, values come from the item's file
        evaluate(*arguments, "--in", "image='truth.png'", "--in", "at=30", "-o", "out")
        for name in ("scores.json", "means.json"):
            rows = json.loads(Path("out", name).read_text(), parse_constant=pytest.fail)
            assert [row["builtin/psnr"] for row in rows] == [None]
        assert psnr("out/scores.csv") == {("night", "classic/tfp"): math.inf}
        item = json.loads(Path("out/items/000000.json").read_text(), parse_constant=pytest.fail)
        assert [one["value"] for one in item["result"]["scores"] if one["metric"] == "builtin/psnr"] == ["inf"]


def test_what_is_done_is_kept_on_a_restart(evaluate, scene, psnr, watcher):
    evaluate(scene)
    items = sorted(Path("evaluate-night/items").iterdir())
    times = [path.stat().st_mtime_ns for path in items]
    before = psnr("evaluate-night/scores.csv")
    items[1].unlink()
    evaluate(scene)
    after = [path.stat().st_mtime_ns for path in items]
    assert [old == new for old, new in zip(times, after, strict=True)] == [True, False, True]
    assert psnr("evaluate-night/scores.csv") == before
    assert [run.result["state"] for run in watcher.runs] == ["done", "done"]
    first, second = ([(one.item, one.method, one.metric) for one in run.scores] for run in watcher.runs)
    assert sorted(first) == sorted(second)


def test_what_failed_is_done_again(evaluate, players, scene):
    arguments = [scene, "-m", "players/broken"]
    evaluate(*arguments, code=1)
    items = sorted(Path("evaluate-night/items").iterdir())
    times = [path.stat().st_mtime_ns for path in items]
    evaluate(*arguments, code=1)
    assert [path.stat().st_mtime_ns == old for path, old in zip(items, times, strict=True)] == [True, False, True]


def test_a_picture_that_was_removed_is_made_again(evaluate, scene, folder):
    removed = folder / "pictures" / "scene-5-1.png"
    removed.unlink()
    evaluate(scene)
    assert removed.is_file()


def test_ctrl_c_keeps_what_is_done(evaluate, scene, monkeypatch, read, watcher):
    from spikecore_plugin_evaluate import evaluation

    draw = evaluation.draw

    def stop(found, sample, path):
        if path.stem.endswith("1"):
            raise KeyboardInterrupt
        return draw(found, sample, path)

    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "draw", stop)
        errors = evaluate(scene, code=130).err
    assert "1 of 3 recordings are judged; the same command goes on" in errors
    assert watcher.runs[-1].result == {"state": "interrupted", "results": 1}
    assert [path.name for path in Path("evaluate-night/items").iterdir()] == ["000000.json"]
    evaluate(scene)
    assert watcher.runs[-1].result["state"] == "done"
    assert len(read("evaluate-night/scores.csv")) == 6


def test_the_record_names_its_inputs_wherever_it_is_read(evaluate, recordings, monkeypatch, tmp_path):
    arguments = ["set", "--source", "vidar/folder", "-m", "classic/tfp", "--metric", "builtin/psnr"]
    evaluate(*arguments, "-o", "out")
    first = json.loads(Path("out/run.json").read_text())
    assert first["experiment"]["source"]["path"] == str(recordings)
    held = first["inputs"]["source.path"]
    files = [path for path in recordings.rglob("*") if path.is_file()]
    assert (held["files"], held["bytes"]) == (len(files), sum(path.stat().st_size for path in files))
    other = recordings / "spike" / "clip1.dat"
    other.write_bytes(bytes(reversed(other.read_bytes())))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    evaluate(tmp_path / "out" / "run.json")
    (second,) = Path().glob("*/run.json")
    assert json.loads(second.read_text())["inputs"]["source.path"]["listing"] != held["listing"]
