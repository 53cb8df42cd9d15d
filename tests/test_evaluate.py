"""`spikecore evaluate`: every value is the right one, and no recording or metric takes the others down."""

from __future__ import annotations

import csv
import json
import math
import signal
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest

import spikecore
from spikecore.cli import main
from spikecore.evaluate import summarise, table
from spikecore.host import PluginHost
from spikecore.results import Results, Score

SCENE = """
name = "night"
[source]
use = "builtin/scene"
height = 24
width = 32
length = 60
clips = 3
seed = 5
[[method]]
use = "classic/tfp"
window = 21
[[method]]
use = "classic/tfi"
[[metric]]
use = "builtin/psnr"
"""
TFP, TFI = "classic/tfp window=21", "classic/tfi"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPIKECORE_RESULTS", raising=False)
    handler, show = signal.getsignal(signal.SIGTERM), warnings.showwarning
    yield
    warnings.showwarning = show
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def evaluate(capsys):
    def evaluate(*arguments, code=0):
        with pytest.raises(SystemExit) as end:
            main(["evaluate", *map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured

    return evaluate


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "night.toml"
    path.write_text(SCENE)
    return path


@pytest.fixture
def judges(tmp_path, clean_path):
    """Installs the fake plugin of metrics."""
    info = tmp_path / "site" / "spikecore_plugin_judges-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spikecore-plugin-judges\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spikecore.plugins]\njudges = spikecore_judges\n")
    clean_path(tmp_path / "site")
    clean_path(Path(__file__).with_name("fakes"))


def read(path):
    """{(item, method): {metric: value}} of a written .csv."""
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    return {
        (row.pop("item"), row.pop("method")): {name: float(value) if value else None for name, value in row.items()}
        for row in rows
    }


def psnr(rows):
    return {key: row["builtin/psnr"] for key, row in rows.items()}


def expected(method, clip):
    """PSNR computed by hand."""
    host = PluginHost.discover()
    scene = host.build(host.find("builtin/scene"), {"height": 24, "width": 32, "length": 60, "clips": 3, "seed": 5})
    sample = scene[clip]
    words = dict(word.split("=") for word in method.split()[1:])
    options = {name: int(value) for name, value in words.items()}
    image = spikecore.reconstruct(sample.spikes, method.split()[0], at=sample.at, host=host, **options)
    return -10 * math.log10(float(((image - sample.target["image"][0]).astype(float) ** 2).mean()))


def test_a_scene_gives_table_files_pictures_and_results(evaluate, scene, tmp_path):
    shown = evaluate(scene).out
    folder = tmp_path / "evaluate-night"
    rows = read(folder / "scores.csv")
    assert set(rows) == {(f"scene-5-{clip}", method) for clip in range(3) for method in (TFP, TFI)}
    for (item, method), row in rows.items():
        assert row["builtin/psnr"] == pytest.approx(expected(method, int(item[-1])), abs=1e-4)
        assert row["time ms"] > 0
        assert row["memory MB"] >= 0
    means = read(folder / "means.csv")
    for method in (TFP, TFI):
        mean = np.mean([rows[f"scene-5-{clip}", method]["builtin/psnr"] for clip in range(3)])
        assert means["mean", method]["builtin/psnr"] == pytest.approx(mean)
        assert f"{mean:.4f}" in shown
    assert "scene-5-2" in shown
    assert "scene-5-2" in (folder / "scores.md").read_text()
    assert len(json.loads((folder / "scores.json").read_text())) == 6
    assert json.loads((folder / "run.json").read_text())["experiment"]["source"]["seed"] == 5
    for clip in range(3):
        picture = cv2.imread(str(folder / "pictures" / f"scene-5-{clip}.png"), cv2.IMREAD_GRAYSCALE)
        assert picture.shape[1] == 3 * 32  # two methods and the ground truth; below, where they err
        assert picture.shape[0] > 2 * 24
        assert picture.max() > 0


def test_the_results_store_holds_every_value(evaluate, scene, tmp_path):
    evaluate(scene)
    store = Results(tmp_path / ".spikecore" / "results.sqlite")
    (run,) = store.runs()
    assert (run.kind, run.name, run.state) == ("evaluate", "night", "done")
    assert run.recipe["experiment"]["source"]["use"] == "builtin/scene"
    held = {(score.item, score.method): score.value for _, score in store.scores() if score.metric == "builtin/psnr"}
    means = read(tmp_path / "evaluate-night" / "means.csv")
    rows = read(tmp_path / "evaluate-night" / "scores.csv") | {("", method): row for (_, method), row in means.items()}
    assert held == psnr(rows)
    names = {Path(path).name for path in store.artefacts(run.id)}
    assert names == {"scores.csv", "means.csv", *(f"scene-5-{clip}.png" for clip in range(3))}


def test_json_and_another_folder_and_store(evaluate, scene, tmp_path):
    captured = evaluate(scene, "--json", "-o", "deep/out", "--store", "my.sqlite", "-s", "source.clips=1")
    rows = json.loads(captured.out)
    assert [(row["item"], row["method"]) for row in rows] == [
        ("scene-5-0", TFP),
        ("scene-5-0", TFI),
        ("mean", TFP),
        ("mean", TFI),
    ]
    assert (tmp_path / "deep" / "out" / "scores.csv").is_file()
    assert len(Results(tmp_path / "my.sqlite").runs()) == 1
    assert not (tmp_path / ".spikecore").exists()


def test_two_workers_give_what_one_gives(evaluate, scene, tmp_path):
    evaluate(scene, "-o", "one")
    evaluate(scene, "-o", "two", "--workers", "2")
    one, two = (psnr(read(tmp_path / name / "scores.csv")) for name in ("one", "two"))
    assert list(one) == list(two)
    assert one == two
    pictures = [sorted((tmp_path / name / "pictures").iterdir()) for name in ("one", "two")]
    assert [path.name for path in pictures[0]] == [path.name for path in pictures[1]]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*pictures, strict=True))


def test_what_is_done_is_kept_on_a_restart(evaluate, scene, tmp_path):
    evaluate(scene)
    items = sorted((tmp_path / "evaluate-night" / "items").iterdir())
    times = [path.stat().st_mtime_ns for path in items]
    before = read(tmp_path / "evaluate-night" / "scores.csv")
    items[1].unlink()
    evaluate(scene)
    after = [path.stat().st_mtime_ns for path in items]
    assert [old == new for old, new in zip(times, after, strict=True)] == [True, False, True]
    assert psnr(read(tmp_path / "evaluate-night" / "scores.csv")) == psnr(before)
    runs = Results().runs()
    assert [run.state for run in runs] == ["done", "done"]
    assert len(Results().scores(runs[0].id)) == len(Results().scores(runs[1].id))


@pytest.fixture
def recordings(tmp_path):
    """A folder with three recordings and their ground truth."""
    host = PluginHost.discover()
    scene = host.build(host.find("builtin/scene"), {"height": 24, "width": 32, "length": 61, "clips": 3})
    for part in ("spike", "gt"):
        (tmp_path / "set" / part).mkdir(parents=True)
    for number in range(3):
        sample = scene[number]
        spikecore.save(sample.spikes, tmp_path / "set" / "spike" / f"clip{number}.dat", host=host)
        truth = np.rint(255 * sample.target["image"][0]).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "set" / "gt" / f"clip{number}.png"), truth)
    return tmp_path / "set"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_corrupt_recording_is_named_and_the_others_are_judged(evaluate, recordings, workers):
    broken = recordings / "spike" / "clip1.dat"
    broken.write_bytes(broken.read_bytes()[:-7])
    arguments = [recordings, "--source", "vidar/folder", "-m", "classic/tfp", "--metric", "builtin/psnr"]
    errors = evaluate(*arguments, "--workers", workers, code=1).err
    assert "1 recordings could not be judged, the others were" in errors
    assert "clip1.dat" in errors
    assert "Traceback" not in errors
    rows = read(Path("evaluate-set/scores.csv"))
    assert {item for item, _ in rows} == {"clip0", "clip2"}
    assert all(row["builtin/psnr"] > 15 for row in rows.values())
    assert Results().runs()[0].state == "done"
    assert sorted(path.name for path in Path("evaluate-set/pictures").iterdir()) == ["clip0.png", "clip2.png"]


def test_recordings_that_are_all_corrupt_make_a_failed_run(evaluate, recordings):
    for path in recordings.glob("spike/*.dat"):
        path.write_bytes(path.read_bytes()[:-7])
    errors = evaluate(recordings, "--source", "vidar/folder", "-m", "classic/tfp", code=1).err
    assert "3 recordings could not be judged" in errors
    assert all(f"clip{number}.dat" in errors for number in range(3))
    assert Results().runs()[0].state == "failed"


def test_a_metric_that_cannot_be_had_is_no_value_with_a_reason(evaluate, judges, scene, tmp_path):
    names = ("withoutfile", "choosy", "undefined", "brightness")
    metrics = [word for name in names for word in ("--metric", f"judges/{name}")]
    captured = evaluate(scene, *metrics, "-s", "source.width=40")
    reasons = {"judges/withoutfile": "no parameters", "judges/choosy": "wider than 32", "judges/undefined": "NaN"}
    rows = read(tmp_path / "evaluate-night" / "scores.csv")
    for row in rows.values():
        assert all(row[name] is None for name in reasons)
        assert row["judges/brightness"] > 0
    assert all(row["builtin/psnr"] > 10 for (_, method), row in rows.items() if method != "ground truth")
    for name, reason in reasons.items():
        assert f"{name} of {TFP}: 3 of 3 items" in captured.err
        held = [score for _, score in Results().scores() if score.metric == name and score.item]
        assert len(held) == 9
        assert all(score.value is None and reason in score.reason for score in held)
    first = json.loads((tmp_path / "evaluate-night" / "scores.json").read_text())[0]
    assert first["judges/choosy"] is None


def test_a_metric_without_reference_judges_the_ground_truth_too(evaluate, judges, scene, tmp_path):
    shown = evaluate(scene, "--metric", "judges/brightness").out
    assert "ground truth" in shown
    host = PluginHost.discover()
    options = {"height": 24, "width": 32, "length": 60, "clips": 3, "seed": 5}
    clips = host.build(host.find("builtin/scene"), options)
    rows = read(tmp_path / "evaluate-night" / "scores.csv")
    for number in range(3):
        row = rows[f"scene-5-{number}", "ground truth"]
        assert row["judges/brightness"] == pytest.approx(clips[number].target["image"].mean(), rel=1e-5)
        assert row["builtin/psnr"] is None


def test_the_plugin_of_a_metric_is_found_in_workers(evaluate, judges, scene, tmp_path):
    evaluate(scene, "--metric", "judges/brightness", "--workers", "2")
    assert all(row["judges/brightness"] > 0 for row in read(tmp_path / "evaluate-night" / "scores.csv").values())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["set"], 2, "give the methods to judge"),
        (["night.toml", "--height", "3"], 2, "states its own source"),
        (["night.toml", "-m", "classic/tfi"], 2, "'classic/tfi' is given twice"),
        (["night.toml", "--metric", "builtin/psnr"], 2, "'builtin/psnr' is given twice"),
        (["night.toml", "--executor", "cloud"], 2, "no executor 'cloud'"),
        (["night.toml", "-o", "night.toml"], 1, "night.toml cannot be a folder"),
        (["night.toml", "--store", "night.toml"], 1, "night.toml: file is not a database"),
        (["none.toml"], 1, "no such file"),
        (["night.toml", "-m", "classic/tfpp"], 2, "did you mean classic/tfp"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_computed(evaluate, scene, recordings, arguments, code, message):
    assert message in evaluate(*arguments, code=code).err
    assert Results().runs() == []
    assert not list(Path().glob("*/items"))


def test_ctrl_c_keeps_what_is_done(evaluate, scene, monkeypatch):
    from spikecore import evaluate as evaluation

    draw = evaluation._draw

    def stop(pictures, truth, path):
        if path.stem.endswith("1"):
            raise KeyboardInterrupt
        draw(pictures, truth, path)

    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "_draw", stop)
        errors = evaluate(scene, code=130).err
    assert "1 of 3 recordings are judged; the same command goes on" in errors
    assert Results().runs()[0].state == "interrupted"
    assert [path.name for path in Path("evaluate-night/items").iterdir()] == ["000000.json"]
    evaluate(scene)
    assert Results().runs()[0].state == "done"
    assert len(read(Path("evaluate-night/scores.csv"))) == 6


def test_at_another_instant_there_is_no_ground_truth(evaluate, judges, scene):
    errors = evaluate(scene, "--at", "20", code=1).err
    assert "builtin/psnr needs ground truth of kind image, which scene-5-0 lacks" in errors
    evaluate(scene, "--at", "30")  # the instant of the ground truth


def test_means_count_what_lacks_a_value():
    scores = [
        Score("a", "m", "x", 1.0, "", True),
        Score("b", "m", "x", None, "no file", True),
        Score("c", "m", "x", 4.0, "", True),
        Score("a", "n", "x", None, "no file", True),
    ]
    assert summarise(scores) == [
        Score("", "m", "x", 2.5, "1 of 3 items: no file", True),
        Score("", "n", "x", None, "1 of 1 items: no file", True),
    ]
    header, rows = table(scores + summarise(scores))
    assert header == ["item", "method", "x"]
    assert ["a", "n", None] in rows
    assert ["mean", "m", 2.5] in rows
