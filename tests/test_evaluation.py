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
from spikecore.evaluation import CALLS, TIME, summarise, table
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
        (row.pop("item"), row.pop("method")): {
            name: float(value) if value else None for name, value in row.items() if name != "judged"
        }
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
        assert row["time ms (median)"] > 0
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
    assert "1 of 3 recordings could not be judged wholly, the others were" in errors
    assert "clip1.dat" in errors
    assert "Traceback" not in errors
    rows = read(Path("evaluate-set/scores.csv"))
    assert {item for item, _ in rows} == {"clip0", "#1", "clip2"}
    assert all(value is None for value in rows.pop(("#1", "classic/tfp")).values())
    assert all(row["builtin/psnr"] > 15 for row in rows.values())
    assert Results().runs()[0].state == "done"
    assert sorted(path.name for path in Path("evaluate-set/pictures").iterdir()) == ["clip0.png", "clip2.png"]


def test_means_say_of_how_many_recordings_they_are(evaluate, recordings):
    broken = recordings / "spike" / "clip1.dat"
    broken.write_bytes(broken.read_bytes()[:-7])
    arguments = [recordings, "--source", "vidar/folder", "-m", "classic/tfp", "--metric", "builtin/psnr"]
    shown = evaluate(*arguments, code=1)
    assert "2 of 3" in shown.out
    assert "builtin/psnr of classic/tfp: 1 of 3 items: " in shown.err
    row = json.loads(evaluate(*arguments, "--json", code=1).out)[-1]
    assert (row["item"], row["judged"]) == ("mean", "2 of 3")
    assert row["builtin/psnr"] > 15
    (run, _) = Results().runs()
    lacking = [score for _, score in Results().scores(run.id) if score.item == "#1"]
    assert {score.metric for score in lacking} == {"time ms (median)", "memory MB", "builtin/psnr"}
    assert all(score.value is None and "clip1.dat" in score.reason for score in lacking)


def test_recordings_that_are_all_corrupt_make_a_failed_run(evaluate, recordings):
    for path in recordings.glob("spike/*.dat"):
        path.write_bytes(path.read_bytes()[:-7])
    errors = evaluate(recordings, "--source", "vidar/folder", "-m", "classic/tfp", code=1).err
    assert "3 of 3 recordings could not be judged" in errors
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
    from spikecore import evaluation

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
    assert table(scores) == (
        ["item", "method", "judged", "x"],
        [
            ["a", "m", None, 1.0],
            ["b", "m", None, None],
            ["c", "m", None, 4.0],
            ["a", "n", None, None],
            ["mean", "m", "2 of 3", 2.5],
            ["mean", "n", "0 of 1", None],
        ],
    )
    assert table([*scores, Score("a", "m", "y", 1.0)], each=False)[1][0] == ["mean", "m", "1 to 2 of 3", 2.5, 1.0]
    assert table(scores, means=False)[0] == ["item", "method", "x"]


def test_the_time_of_a_run_is_a_median():
    scores = [Score(item, "m", TIME, value) for item, value in zip("abc", (1.0, 2.0, 90.0), strict=True)]
    (summary,) = summarise(scores)
    assert summary.value == 2.0


PLAYERS = """
import attrs, sys
from spikecore import Component, PluginInfo, Window, hookimpl

@attrs.frozen
class Nothing:
    pass

class Mean:
    window = Window.centred(21)
    calls = 0
    def __init__(self, config): pass
    def reconstruct(self, batch):
        type(self).calls += 1
        return batch.spikes.tensor().mean(1, keepdim=True)

class Twice(Mean):
    def reconstruct(self, batch):
        return super().reconstruct(batch).repeat_interleave(2, -1).repeat_interleave(2, -2)

class Broken(Mean):
    def reconstruct(self, batch):
        if batch.keys[0].endswith("1"):
            raise ZeroDivisionError("no light")
        return super().reconstruct(batch)

class Quitter(Mean):
    def __init__(self, config): sys.exit("no licence")

class Rude:
    higher_is_better = True
    def __init__(self, config): pass
    def reset(self): pass
    def update(self, preds, target, /): raise RuntimeError("I will not")
    def compute(self): raise RuntimeError("never reached")

@hookimpl
def spikecore_info():
    return PluginInfo("fake methods")

@hookimpl
def spikecore_components():
    for name in ("Mean", "Twice", "Broken", "Quitter"):
        yield Component("reconstructor", name.lower(), f"spikecore_players:{name}", Nothing, "a fake",
                        consumes="spikes", produces="image")
    yield Component("metric", "rude", "spikecore_players:Rude", Nothing, "a fake", consumes="image")
"""


@pytest.fixture
def players(tmp_path, clean_path):
    """Installs fake methods, and a fake metric."""
    info = tmp_path / "players" / "spikecore_plugin_players-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spikecore-plugin-players\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spikecore.plugins]\nplayers = spikecore_players\n")
    (tmp_path / "players" / "spikecore_players.py").write_text(PLAYERS)
    clean_path(tmp_path / "players")


def test_a_method_that_fails_takes_nothing_from_the_others(evaluate, players, scene):
    arguments = [scene, "-m", "players/broken", "-m", "players/quitter"]
    captured = evaluate(*arguments, code=1)
    assert "3 of 3 recordings could not be judged wholly" in captured.err
    assert "  scene-5-1: players/broken failed: ZeroDivisionError: no light" in captured.err
    assert "SystemExit: no licence" in captured.err
    assert "Traceback" not in captured.err
    rows = read(Path("evaluate-night/scores.csv"))
    assert len(rows) == 3 * 4
    assert all(rows[f"scene-5-{clip}", method]["builtin/psnr"] > 10 for clip in range(3) for method in (TFP, TFI))
    assert [rows[f"scene-5-{clip}", "players/broken"]["builtin/psnr"] is None for clip in range(3)] == [
        False,
        True,
        False,
    ]
    assert len(list(Path("evaluate-night/pictures").iterdir())) == 3
    (run,) = Results().runs()
    reasons = {
        score.reason for _, score in Results().scores(run.id) if score.item == "scene-5-1" and score.value is None
    }
    assert any("players/broken failed: ZeroDivisionError" in reason for reason in reasons)
    assert any("players/quitter" in reason for reason in reasons)


def test_a_metric_that_fails_takes_nothing_from_the_others(evaluate, players, scene):
    errors = evaluate(scene, "--metric", "players/rude", code=1).err
    assert "  scene-5-0: players/rude failed: RuntimeError: I will not" in errors
    rows = read(Path("evaluate-night/scores.csv"))
    judged = [row for (_, method), row in rows.items() if method != "ground truth"]
    assert len(judged) == 6
    assert all(row["builtin/psnr"] > 10 and row["players/rude"] is None for row in judged)


def test_what_failed_is_done_again(evaluate, players, scene, tmp_path):
    arguments = [scene, "-m", "players/broken"]
    evaluate(*arguments, code=1)
    items = sorted(Path("evaluate-night/items").iterdir())
    times = [path.stat().st_mtime_ns for path in items]
    evaluate(*arguments, code=1)
    assert [path.stat().st_mtime_ns == old for path, old in zip(items, times, strict=True)] == [True, False, True]


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


@pytest.mark.parametrize(("clips", "calls"), [(1, 1 + CALLS), (CALLS, 2 * CALLS)])
def test_times_are_medians_of_several_calls(evaluate, players, scene, clips, calls):
    evaluate(scene, "-m", "players/mean", "-s", f"source.clips={clips}")
    import spikecore_players

    assert spikecore_players.Mean.calls == calls


def test_only_the_pictures_of_this_run_are_its_files(evaluate, scene, tmp_path):
    evaluate(scene)
    evaluate(scene, "-s", "source.seed=6")
    newest, _ = Results().runs()
    names = {Path(path).name for path in Results().artefacts(newest.id)}
    assert names == {"scores.csv", "means.csv", *(f"scene-6-{clip}.png" for clip in range(3))}
    assert len(list(Path("evaluate-night/pictures").iterdir())) == 6


def test_a_picture_that_was_removed_is_made_again(evaluate, scene):
    evaluate(scene)
    removed = Path("evaluate-night/pictures/scene-5-1.png")
    removed.unlink()
    evaluate(scene)
    assert removed.is_file()


class Watcher:
    """Notes what observers are told."""

    def __init__(self):
        self.seen = []

    @spikecore.hookimpl
    def spikecore_info(self):
        return spikecore.PluginInfo("watcher")

    @spikecore.hookimpl
    def spikecore_run_start(self, run):
        self.seen.append((run.kind, run.total, run.recipe["experiment"]["name"]))

    @spikecore.hookimpl
    def spikecore_step_end(self, step):
        self.seen.append(step)

    @spikecore.hookimpl
    def spikecore_run_end(self, result):
        self.seen.append(dict(result))


@pytest.fixture
def watcher(monkeypatch):
    watcher, discover = Watcher(), PluginHost.discover

    def discovered(*arguments, **options):
        host = discover(*arguments, **options)
        host.register(watcher, "watcher")
        return host

    monkeypatch.setattr(PluginHost, "discover", discovered)
    return watcher


def test_observers_see_evaluations(evaluate, scene, watcher):
    evaluate(scene)
    assert watcher.seen == [("evaluate", 3, "night"), 1, 2, 3, {"state": "done", "results": 3}]


def test_observers_see_benchmarks(watcher, capsys):
    with pytest.raises(SystemExit):
        main(["bench", "-m", "classic/tfp", "--repeats", "1", "--height", "16", "--width", "24", "--length", "60"])
    assert watcher.seen == [("bench", 1, "bench"), 1, {"state": "done", "results": 1}]


def test_the_record_names_its_inputs_wherever_it_is_read(evaluate, recordings, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
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


@pytest.fixture
def compare(capsys):
    def compare(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["compare", *map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == 0, captured.err
        return captured

    return compare


def test_a_comparison_has_a_record_that_repeats_it(compare, evaluate, recordings):
    recording, truth = recordings / "spike" / "clip0.dat", recordings / "gt" / "clip0.png"
    judged = ["-m", "classic/tfp window=21", "-m", "classic/tfi", "--truth", truth, "--at", 30]
    rows = json.loads(compare(recording, *judged, "-o", "night.png", "--json").out)
    recipe = json.loads(Path("night.png.run.json").read_text())
    assert recipe["experiment"]["source"]["path"] == str(recording)
    assert recipe["inputs"]["source.path"]["bytes"] == recording.stat().st_size
    again = json.loads(evaluate("night.png.run.json", "--json").out)
    assert [row["builtin/psnr"] for row in again[:2]] == pytest.approx([row["builtin/psnr"] for row in rows])


def test_dark_pictures_get_a_hint(compare, recordings):
    recording = recordings / "spike" / "clip0.dat"
    assert "dark" not in compare(recording, "-m", "classic/tfp").err
    hint = compare(recording, "-m", "classic/tfp", "--gain", 0.1).err
    assert "the pictures are dark" in hint
    gain = hint.rpartition("--gain ")[2].strip()
    assert "dark" not in compare(recording, "-m", "classic/tfp", "--gain", gain).err


def test_json_has_no_infinity(evaluate, compare, tmp_path):
    """A perfect picture has an infinite PSNR, for which JSON has no word."""
    night = spikecore.SpikeStream.from_frames(np.zeros((61, 24, 32), bool))
    recording = spikecore.save(night, tmp_path / "night.dat")
    cv2.imwrite("truth.png", np.zeros((24, 32), np.uint8))
    arguments = [recording, "--no-check", "-m", "classic/tfp"]
    (row,) = json.loads(compare(*arguments, "--truth", "truth.png", "--json").out, parse_constant=pytest.fail)
    assert row["builtin/psnr"] is None
    evaluate(*arguments, "--metric", "builtin/psnr", "--in", "image='truth.png'", "--in", "at=30", "-o", "out")
    for name in ("scores.json", "means.json"):
        rows = json.loads(Path("out", name).read_text(), parse_constant=pytest.fail)
        assert [row["builtin/psnr"] for row in rows] == [None]
    assert psnr(read(Path("out/scores.csv"))) == {("night", "classic/tfp"): math.inf}
