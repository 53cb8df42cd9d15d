"""No recording, method or metric takes the others down, and what cannot be done is said at once."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

import spikecore
from spikecore.cli import main

TFP, TFI = "classic/tfp window=21", "classic/tfi"


def truncate(path):
    path.write_bytes(path.read_bytes()[:-7])


@pytest.fixture
def judged(recordings):
    """The arguments of an evaluation of the recordings."""
    return [recordings, "--source", "vidar/folder", "-m", "classic/tfp", "--metric", "builtin/psnr"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_corrupt_recording_is_named_and_the_others_are_judged(evaluate, recordings, judged, workers, read, watcher):
    truncate(recordings / "spike" / "clip1.dat")
    errors = evaluate(*judged, "--workers", workers, code=1).err
    assert "1 of 3 recordings could not be judged wholly, the others were" in errors
    assert "clip1.dat" in errors
    assert "Traceback" not in errors
    rows = read("evaluate-set/scores.csv")
    assert {item for item, _ in rows} == {"clip0", "#1", "clip2"}
    assert all(value is None for value in rows.pop(("#1", "classic/tfp")).values())
    assert all(row["builtin/psnr"] > 15 for row in rows.values())
    assert watcher.runs[0].result["state"] == "done"
    assert sorted(path.name for path in Path("evaluate-set/pictures").iterdir()) == ["clip0.png", "clip2.png"]


def test_means_say_of_how_many_recordings_they_are(evaluate, recordings, judged, watcher):
    truncate(recordings / "spike" / "clip1.dat")
    shown = evaluate(*judged, code=1)
    assert "2 of 3" in shown.out
    assert "builtin/psnr of classic/tfp: 1 of 3 items: " in shown.err
    row = json.loads(evaluate(*judged, "--json", code=1).out)[-1]
    assert (row["item"], row["judged"]) == ("mean", "2 of 3")
    assert row["builtin/psnr"] > 15
    run, _ = watcher.runs
    lacking = [score for score in run.scores if score.item == "#1"]
    assert {score.metric for score in lacking} == {"time ms (median)", "memory MB", "builtin/psnr"}
    assert all(score.value is None and "clip1.dat" in score.reason for score in lacking)


def test_recordings_that_are_all_corrupt_make_a_failed_run(evaluate, recordings, watcher):
    for path in recordings.glob("spike/*.dat"):
        truncate(path)
    errors = evaluate(recordings, "--source", "vidar/folder", "-m", "classic/tfp", code=1).err
    assert "3 of 3 recordings could not be judged" in errors
    assert all(f"clip{number}.dat" in errors for number in range(3))
    assert watcher.runs[0].result["state"] == "failed"


def test_a_metric_that_cannot_be_had_is_no_value_with_a_reason(evaluate, judges, scene, read, watcher):
    names = ("withoutfile", "choosy", "undefined", "brightness")
    metrics = [word for name in names for word in ("--metric", f"judges/{name}")]
    captured = evaluate(scene, *metrics, "-s", "source.width=40")
    reasons = {"judges/withoutfile": "no parameters", "judges/choosy": "wider than 32", "judges/undefined": "NaN"}
    rows = read("evaluate-night/scores.csv")
    for row in rows.values():
        assert all(row[name] is None for name in reasons)
        assert row["judges/brightness"] > 0
    assert all(row["builtin/psnr"] > 10 for (_, method), row in rows.items() if method != "ground truth")
    (run,) = watcher.runs
    for name, reason in reasons.items():
        assert f"{name} of {TFP}: 3 of 3 items" in captured.err
        held = [score for score in run.scores if score.metric == name and score.item]
        assert len(held) == 9
        assert all(score.value is None and reason in score.reason for score in held)
    first = json.loads(Path("evaluate-night/scores.json").read_text())[0]
    assert first["judges/choosy"] is None


def test_a_method_that_fails_takes_nothing_from_the_others(evaluate, players, scene, read, watcher):
    captured = evaluate(scene, "-m", "players/broken", "-m", "players/quitter", code=1)
    assert "3 of 3 recordings could not be judged wholly" in captured.err
    assert "  scene-5-1: players/broken failed: ZeroDivisionError: no light" in captured.err
    assert "SystemExit: no licence" in captured.err
    assert "Traceback" not in captured.err
    rows = read("evaluate-night/scores.csv")
    assert len(rows) == 3 * 4
    assert all(rows[f"scene-5-{clip}", method]["builtin/psnr"] > 10 for clip in range(3) for method in (TFP, TFI))
    assert [rows[f"scene-5-{clip}", "players/broken"]["builtin/psnr"] is None for clip in range(3)] == [
        False,
        True,
        False,
    ]
    assert len(list(Path("evaluate-night/pictures").iterdir())) == 3
    (run,) = watcher.runs
    reasons = {score.reason for score in run.scores if score.item == "scene-5-1" and score.value is None}
    assert any("players/broken failed: ZeroDivisionError" in reason for reason in reasons)
    assert any("players/quitter" in reason for reason in reasons)


def test_a_metric_that_fails_takes_nothing_from_the_others(evaluate, players, scene, read):
    errors = evaluate(scene, "--metric", "players/rude", code=1).err
    assert "  scene-5-0: players/rude failed: RuntimeError: I will not" in errors
    rows = read("evaluate-night/scores.csv")
    judged = [row for (_, method), row in rows.items() if method != "ground truth"]
    assert len(judged) == 6
    assert all(row["builtin/psnr"] > 10 and row["players/rude"] is None for row in judged)


def test_debug_shows_where_a_method_failed(players, scene, capsys):
    with pytest.raises(spikecore.SpikecoreError, match="no light"):
        main(["--debug", "evaluate", str(scene), "-m", "players/broken"])
    errors = capsys.readouterr().err
    assert 'raise ZeroDivisionError("no light")' in errors
    assert errors.count("The above exception") == 1


def test_pictures_of_another_size_are_shown_beside_the_others(evaluate, players, scene):
    errors = evaluate(scene, "-m", "players/twice").err
    assert "builtin/psnr of players/twice: 3 of 3 items" in errors
    picture = cv2.imread("evaluate-night/pictures/scene-5-0.png", cv2.IMREAD_GRAYSCALE)
    assert picture.shape[1] == 4 * 2 * 32
    assert picture.shape[0] > 2 * 2 * 24


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["set"], 2, "give the methods to judge"),
        (["night.toml", "--height", "3"], 2, "states its own source"),
        (["night.toml", "-m", "classic/tfi"], 2, "'classic/tfi' is given twice"),
        (["night.toml", "--metric", "builtin/psnr"], 2, "'builtin/psnr' is given twice"),
        (["night.toml", "--executor", "cloud"], 2, "no executor 'cloud'"),
        (["night.toml", "-o", "night.toml"], 1, "night.toml cannot be a folder"),
        (["none.toml"], 1, "no such file"),
        (["night.toml", "-m", "classic/tfpp"], 2, "did you mean classic/tfp"),
        (["alone.toml"], 2, "needs [source] and at least one method"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_computed(
    evaluate, scene, recordings, watcher, arguments, code, message
):
    Path("alone.toml").write_text('[[method]]\nuse = "classic/tfp"\n')
    assert message in evaluate(*arguments, code=code).err
    assert watcher.runs == []
    assert not list(Path().glob("*/items"))
