"""SpikeCLIP's `experiment_results.json`, into the results store and out of it."""

from __future__ import annotations

import json

import pytest
from spikecore_plugin_results.tracker import METRICS, Tracker

from spikecore import Score, SpikeFormatError


def tracked(name, validation=None, test=None, **metrics):
    scores = {**dict.fromkeys(METRICS), "best_val_accuracy": validation, "test_accuracy": test, **metrics}
    config = {"data_type": "CIFAR", "num_train_samples": 9, "num_test_samples": None, "hyperparameters": {"lr": 0.1}}
    return {
        "exp_name": name,
        "checkpoint_path": f"exp/{name}.pth",
        "timestamp": "2026-11-21T00:09:39.629830",
        "metrics": scores,
        "config": config,
    }


def test_the_tracker_file_of_the_original_survives_a_round_trip(store, shared, tmp_path):
    original = shared / "golden" / "spikeclip" / "experiment_results.json"
    assert len(store.take(Tracker().read(original))) == 2
    assert Tracker().write(store.recorded(), tmp_path / "experiment_results.json") == 2
    again = json.loads((tmp_path / "experiment_results.json").read_text())
    assert again == json.loads(original.read_text())


def test_the_tracker_round_trip_through_the_command_line(command, tmp_path):
    runs = [tracked("a", 59.0, 52.0), tracked("b", None, 52.0, latency_ms=12.5), tracked("c", 60.0, 52.0)]
    path = tmp_path / "experiment_results.json"
    path.write_text(json.dumps({"runs": runs, "best_run": runs[2]}))
    assert "3 runs imported" in command("import", path)
    path.unlink()
    assert "3 runs" in command("export", path)
    assert json.loads(path.read_text()) == {"runs": runs, "best_run": runs[2]}


def test_a_run_that_only_measured_speed_is_kept_and_is_not_the_best(store, tmp_path):
    path = tmp_path / "experiment_results.json"
    path.write_text(json.dumps({"runs": [tracked("best", 50.0, 40.0)], "best_run": None}))
    store.take(Tracker().read(path))
    speed = tmp_path / "speed.json"
    speed.write_text(json.dumps({"runs": [tracked("speed", latency_ms=3.0)]}))
    store.take(Tracker().read(speed))
    Tracker().write(store.recorded(), path)
    written = json.loads(path.read_text())
    assert [run["exp_name"] for run in written["runs"]] == ["best", "speed"]
    assert written["runs"][1]["metrics"]["latency_ms"] == 3.0
    assert written["best_run"]["exp_name"] == "best"


def test_our_own_runs_are_written_with_the_names_of_the_format(store, tmp_path):
    id = store.start("evaluate", "night", {})
    scores = [Score("", "m", "iqa/niqe", 4.5, "", False), Score("", "m", "psnr", 20.0, "", True)]
    store.add(id, [*scores, Score("clip", "m", "iqa/piqe", 9.0, "", False)])
    Tracker().write(store.recorded(), tmp_path / "experiment_results.json")
    written = json.loads((tmp_path / "experiment_results.json").read_text())
    (run,) = written["runs"]
    assert run["exp_name"] == "night"
    assert run["metrics"] == {**dict.fromkeys(METRICS), "niqe": 4.5}
    assert written["best_run"] is None


def test_every_method_of_a_run_is_an_entry(store, tmp_path):
    id = store.start("evaluate", "night", {})
    values = {"classic/tfp": 4.5, "classic/tfi": 3.5, "ground truth": 2.5}
    store.add(id, [Score("", method, "iqa/niqe", value, "", False) for method, value in values.items()])
    assert Tracker().write(store.recorded(), tmp_path / "experiment_results.json") == 2
    runs = json.loads((tmp_path / "experiment_results.json").read_text())["runs"]
    assert {run["exp_name"]: run["metrics"]["niqe"] for run in runs} == {
        "night classic/tfp": 4.5,
        "night classic/tfi": 3.5,
    }


def test_large_tracker_files_are_read_up_to_a_stated_size(tmp_path):
    path = tmp_path / "experiment_results.json"
    path.write_text(json.dumps({"runs": [tracked(f"run {number}", test=1.0) for number in range(5000)]}))
    assert path.stat().st_size > 1_500_000
    assert len(Tracker().read(path)) == 5000
    with path.open("r+") as file:
        file.truncate(65_000_000)
    with pytest.raises(SpikeFormatError, match=r"65000000 bytes; expected at most 64000000 bytes"):
        Tracker().read(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"runs": [', "not valid json"),
        ("[]", "a JSON list"),
        ('{"runs": 3}', "no list of runs"),
        ('{"runs": [{"exp_name": "a"}]}', "no list of runs"),
        (json.dumps({"runs": [tracked("good"), {"exp_name": "a", "metrics": {"niqe": "high"}}]}), "no list of runs"),
        (json.dumps({"runs": [tracked("good"), {"exp_name": 7, "metrics": {}}]}), "no list of runs"),
    ],
)
def test_a_tracker_file_that_is_none_imports_nothing(store, tmp_path, content, found):
    path = tmp_path / "experiment_results.json"
    path.write_text(content)
    with pytest.raises(SpikeFormatError, match=rf"experiment_results\.json.*{found}"):
        store.take(Tracker().read(path))
    assert store.runs() == []
