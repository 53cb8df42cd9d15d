from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from spikecore import Target
from spikecore.data.kinds import Data
from spikecore.errors import OutputError
from spikecore.sinks.open import open_sink

SCORES = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [-5e-8, 0.25, 1e6]], np.float32)
LABELS = ("cat", 'dog, "big"', "poisson à œil")


def written(path, labels=LABELS, scores=SCORES, instants=(5, 150.85, 200.0)):
    sink = open_sink(None, Target(path, len(scores), labels=labels), Data.LABEL)
    for instant, values in zip(instants, scores, strict=True):
        sink.write(instant, values)
    return sink


def read(path):
    """The rows of either format, in the same words."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".json":
            return [{**one, "scores": list(one["scores"].items())} for one in json.load(file)]
        return [
            {
                "instant": float(row.pop("instant")),
                "label": row.pop("label"),
                "score": float(row.pop("score")),
                "scores": [(name, float(value)) for name, value in row.items()],
            }
            for row in csv.DictReader(file)
        ]


@pytest.fixture(params=[".csv", ".json"])
def path(tmp_path, request):
    return tmp_path / f"labels{request.param}"


def test_a_table_says_what_each_instant_was_taken_for(path):
    assert written(path).commit() == path
    rows = read(path)
    assert [row["instant"] for row in rows] == [5, 150.85, 200]
    assert [row["label"] for row in rows] == [LABELS[1], LABELS[0], LABELS[2]]
    for row, scores in zip(rows, SCORES, strict=True):
        assert [name for name, _ in row["scores"]] == list(LABELS)
        assert np.array_equal(np.float32([score for _, score in row["scores"]]), scores)
        assert np.float32(row["score"]) == scores.max()
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_csv_reads_as_people_expect(tmp_path):
    path = written(tmp_path / "t.csv", ("a", "b", "c")).commit()
    assert path.read_text().splitlines() == [
        "instant,label,score,a,b,c",
        "5,b,0.7,0.1,0.7,0.2",
        "150.85,a,0.6,0.6,0.3,0.1",
        "200,c,1000000.0,-5e-08,0.25,1000000.0",
    ]


def test_json_is_a_list_of_objects(tmp_path):
    path = written(tmp_path / "t.json", ("a", "b", "c")).commit()
    first, *_ = json.loads(path.read_text())
    assert first == {"instant": 5, "label": "b", "score": 0.7, "scores": {"a": 0.1, "b": 0.7, "c": 0.2}}


@pytest.mark.parametrize("labels", [(), ("cat", "dog"), ("cat", "dog", "cat")])
def test_classes_without_a_name_each_go_by_their_numbers(path, labels):
    rows = read(written(path, labels).commit())
    assert [row["label"] for row in rows] == ["1", "0", "2"]
    assert [name for name, _ in rows[0]["scores"]] == ["0", "1", "2"]


def test_the_first_of_equal_classes_is_the_label(path):
    rows = read(written(path, (), np.ones((1, 3), np.float32), (0,)).commit())
    assert rows[0]["label"] == "0"


def test_an_interrupted_table_is_whole_as_far_as_it_goes(path):
    path.write_text("an older result")
    sink = open_sink(None, Target(path, 9, labels=LABELS), Data.LABEL)
    sink.write(5, SCORES[0])
    sink.write(6, SCORES[1])
    kept = sink.interrupt()
    assert kept == path.with_name(f"labels.partial{path.suffix}")
    assert [row["instant"] for row in read(kept)] == [5, 6]
    assert path.read_text() == "an older result"
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.parametrize("shape", [(1, 3), (0,), ()])
def test_what_is_no_label_is_refused(path, shape):
    sink = open_sink(None, Target(path, 1), Data.LABEL)
    with pytest.raises(OutputError, match=r"scores of shape \(classes,\), found"):
        sink.write(0, np.zeros(shape, np.float32))
    assert sink.interrupt() is None
    assert list(path.parent.iterdir()) == []
