"""What observers are told of evaluations."""

from __future__ import annotations

import csv
import json
from pathlib import Path


def test_observers_see_evaluations(evaluate, scene, watcher):
    evaluate(scene)
    (run,) = watcher.runs
    assert (run.info.kind, run.info.total, run.info.name) == ("evaluate", 3, "night")
    assert run.info.recipe == json.loads(Path("evaluate-night/run.json").read_text())
    assert run.steps == [1, 2, 3]
    assert run.result == {"state": "done", "results": 3}


def test_observers_hear_every_score_and_mean(evaluate, scene, watcher):
    evaluate(scene)
    heard = {(one.item or "mean", one.method, one.metric): one.value for one in watcher.runs[0].scores}
    written = {}
    for name in ("scores.csv", "means.csv"):
        with Path("evaluate-night", name).open() as stream:
            for row in csv.DictReader(stream):
                row.pop("judged", None)
                key = (row.pop("item"), row.pop("method"))
                written |= {(*key, metric): float(value) for metric, value in row.items()}
    assert heard == written


def test_only_the_pictures_of_this_run_are_its_files(evaluate, scene, watcher):
    evaluate(scene)
    evaluate(scene, "-s", "source.seed=6")
    names = [path.name for path in watcher.runs[1].saved]
    assert sorted(names) == sorted(["scores.csv", "means.csv", *(f"scene-6-{clip}.png" for clip in range(3))])
    assert all(path.is_file() for path in watcher.runs[1].saved)
    assert len(list(Path("evaluate-night/pictures").iterdir())) == 6
