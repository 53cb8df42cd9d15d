"""Results files that are damaged or made by others: refused in own words, in bounded time."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from spikecore_plugin_results.commands import overview
from spikecore_plugin_results.store import Results

from spikecore import Score, SpikecoreError, SpikeFormatError

_ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id FROM n"


@pytest.fixture
def filled(store):
    id = store.start("evaluate", "night", {"experiment": {"source": {"use": "a/b"}}, "inputs": {"source.path": {}}})
    store.add(id, [Score("", "classic/tfp", "psnr", 23.5, "", True), Score("a", "classic/tfp", "psnr", 20.0, "", True)])
    store.add_artefact(id, store.path, "0" * 64)
    store.finish(id, "done")
    return store


def change(store, *statements):
    with closing(sqlite3.connect(store.path)) as held:
        for statement in statements:
            held.execute(statement)
        held.commit()


def read_all(store):
    """Everything that the commands read."""
    overview(store)
    for run in store.runs():
        store.scores(run.id)
        store.artefacts(run.id)
    store.recorded()


@pytest.mark.parametrize(
    "recipe",
    ["", "[]", "null", "3", "{", "[" * 100_000, '{"inputs": {"source.path": 3}, "experiment": {"source": {"use": 1}}}',
     '{"inputs": [], "experiment": {"source": {"path": []}}}', '{"experiment": []}'],
)  # fmt: skip
def test_a_recipe_that_is_none(filled, recipe):
    change(filled, f"UPDATE run SET recipe = '{recipe}'")
    try:
        read_all(filled)
    except SpikeFormatError as error:
        assert "recipe of run" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "statements",
    [
        ["DROP TABLE score"],
        ["DROP TABLE score", "CREATE TABLE score (run TEXT)"],
        ["DROP TABLE run", f"CREATE VIEW run AS {_ENDLESS}"],
        ["ALTER TABLE run ADD COLUMN more TEXT"],
        ["CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM score; END"],
        ["CREATE TABLE other (x)"],
    ],
)
def test_another_schema_is_refused(filled, statements):
    change(filled, *statements)
    for use in (read_all, lambda store: store.start("evaluate", "day", {})):
        with pytest.raises(SpikeFormatError, match="expected a results file of spikecore"):
            use(filled)


def test_a_changed_or_missing_byte_is_refused_or_does_no_harm(filled, tmp_path):
    change(filled, "PRAGMA journal_mode = DELETE")
    content = filled.path.read_bytes()
    random, damaged = np.random.default_rng(0), Results(tmp_path / "damaged.sqlite")
    for _ in range(300):
        copy = bytearray(content)
        if random.random() < 0.2:
            copy = copy[: random.integers(len(copy))]
        else:
            copy[random.integers(len(copy))] = random.integers(256)
        damaged.path.write_bytes(copy)
        try:
            read_all(damaged)
        except SpikecoreError as error:
            assert str(damaged.path) in str(error)  # noqa: PT017


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"no database at all", bytes(4096), b"\xff" * 9999])
def test_what_is_no_database(tmp_path, content):
    store = Results(tmp_path / "r.sqlite")
    store.path.write_bytes(content)
    if content:
        with pytest.raises(SpikecoreError, match=r"r\.sqlite"):
            store.runs()
    else:
        assert store.runs() == []  # an empty file is an empty database


def test_what_is_no_number_has_a_reason(store):
    id = store.start("evaluate", "night", {})
    store.add(id, [Score("", "a", "psnr", math.nan, "", True), Score("", "b", "psnr", math.inf, "", True)])
    assert [(score.value, score.reason) for _, score in store.scores(id)] == [(None, "not a number"), (math.inf, "")]


@pytest.mark.parametrize("column", ["name", "state", "recipe"])
def test_bytes_that_are_no_text(filled, column):
    change(filled, "PRAGMA ignore_check_constraints = ON", f"UPDATE run SET {column} = CAST(x'61ff62' AS TEXT)")
    with pytest.raises(SpikecoreError, match="results"):
        read_all(filled)


def test_a_schema_that_is_no_text(filled):
    filled.path.write_bytes(filled.path.read_bytes().replace(b"CREATE TABLE", b"CREATE\xff\xfeABLE"))
    with pytest.raises(SpikecoreError, match="results"):
        read_all(filled)
