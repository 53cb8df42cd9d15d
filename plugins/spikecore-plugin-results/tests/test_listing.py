"""`spikecore results`: every recorded run, the best marked among those on the same data."""

from __future__ import annotations

import json

import pytest
from spikecore_plugin_results.commands import overview

from spikecore import Score, UsageError

SCENE = {"source": {"use": "builtin/scene", "seed": 0}, "run": {}}


def test_the_list_marks_the_best_of_each_metric(store, three_runs):
    header, rows = overview(store)
    table = {row[2]: dict(zip(header, row, strict=True)) for row in rows}
    assert [table[name]["psnr"] for name in ("one", "two", "three")] == ["20.0000", "25.0000 *", "25.0000 *"]
    assert [table[name]["niqe"] for name in ("one", "two", "three")] == ["4.0000 *", "6.0000", "5.0000"]
    assert [table[name]["size"] for name in ("one", "two", "three")] == ["1.0000", "-", "2.0000"]
    assert [row[2] for row in rows] == ["three", "two", "one"]
    assert [row[2] for row in overview(store, sort="niqe")[1]] == ["one", "three", "two"]
    assert [row[2] for row in overview(store, sort="psnr")[1]][-1] == "one"
    assert [row[2] for row in overview(store, kind="bench")[1]] == ["two"]
    with pytest.raises(UsageError, match=r"'ssim'; there are psnr, niqe, size"):
        overview(store, sort="ssim")


def marked(store, metric="psnr"):
    """Run and method of the rows that are marked as the best."""
    header, rows = overview(store)
    column = header.index(metric)
    return {(row[2], row[5]) for row in rows if row[column].endswith("*")}


def test_the_ground_truth_is_no_rival(store):
    id = store.start("evaluate", "night", {"experiment": SCENE})
    scores = {"classic/tfp": 5.0, "classic/tfi": 4.0, "ground truth": 1.0}
    store.add(id, [Score("", method, "niqe", value, "", False) for method, value in scores.items()])
    assert marked(store, "niqe") == {("night", "classic/tfi")}
    assert [row[5] for row in overview(store, sort="niqe")[1]] == ["classic/tfi", "classic/tfp", "ground truth"]


def test_only_what_was_measured_on_the_same_data_is_compared(store):
    day = {"experiment": {**SCENE, "source": {"use": "builtin/scene", "seed": 1}}}
    later = {"experiment": {**SCENE, "run": {"at": 30}}}
    folder = {"experiment": {**SCENE, "source": {"use": "vidar/folder", "path": "/data/set"}}}
    small, large = (folder | {"inputs": {"source.path": {"files": 3, "bytes": size}}} for size in (10, 20))
    for name, recipe, value in [
        ("night", {"experiment": SCENE}, 20.0),
        ("night again", {"experiment": {**SCENE, "metric": []}}, 21.0),
        ("day", day, 15.0),
        ("later", later, 14.0),
        ("small", small, 13.0),
        ("large", large, 12.0),
        ("bench of a", {}, 11.0),
        ("bench of b", {"experiment": {"method": []}}, 10.0),
    ]:
        id = store.start("evaluate", name, recipe)
        store.add(id, [Score("", "m", "psnr", value, "", True)])
    assert {name for name, _ in marked(store)} == {
        "night again", "day", "later", "small", "large", "bench of a", "bench of b"
    }  # fmt: skip
    header, rows = overview(store)
    data = {row[2]: row[header.index("data")] for row in rows}
    assert data["night"] == data["night again"] != data["day"]
    assert data["small"].startswith("set ")


def test_the_data_of_a_training_are_those_of_its_validation(store):
    validation = {"use": "builtin/scene", "seed": 9}
    for name, seed in (("one", 1), ("two", 2)):
        source = {"use": "builtin/scene", "seed": seed}
        id = store.start("train", name, {"experiment": {"source": source, "validation": validation}})
        store.add(id, [Score("", "m", "psnr", float(seed), "", True)])
    assert marked(store) == {("two", "m")}


def test_a_run_without_values_is_listed(store, three_runs):
    store.start("evaluate", "begun", {})
    assert ["begun", "running"] in [[row[2], row[4]] for row in overview(store)[1]]


def test_show_compare_and_export(command, store, three_runs, tmp_path):
    assert "three" in command()
    shown = command("show", "one")
    assert "20.0000" in shown
    assert "clip" in shown
    compared = command("compare", "one", "two")
    assert "5.0000" in compared
    assert "no runs 'four'" in command("show", "four", code=2)
    command("export", tmp_path / "all.csv")
    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert len(lines) == 13
    assert lines[0].startswith("run,kind,name")
    command("export", tmp_path / "all.json")
    rows = json.loads((tmp_path / "all.json").read_text())
    assert {(row["name"], row["value"]) for row in rows if row["metric"] == "niqe"} == {
        ("one", 4.0),
        ("two", 6.0),
        ("three", 5.0),
    }
    command("export", tmp_path / "all.md")
    assert (tmp_path / "all.md").read_text().startswith("| run | kind |")
    assert "exported to .csv" in command("export", tmp_path / "all.xlsx", code=1)
