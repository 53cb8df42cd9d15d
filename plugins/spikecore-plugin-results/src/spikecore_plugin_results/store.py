"""The memory of what was measured: one SQLite file, safe with concurrent writers and after a kill."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs

from spikecore import OutputError, RecordedRun, Score, SpikeFormatError, UsageError, closest

VARIABLE = "SPIKECORE_RESULTS"
_APPLICATION = 0x5350494B  # "SPIK", marks the file as ours
_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
  started TEXT NOT NULL, finished TEXT, fingerprint TEXT NOT NULL, recipe TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS score (
  run TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE, item TEXT NOT NULL, method TEXT NOT NULL,
  metric TEXT NOT NULL, value REAL, reason TEXT NOT NULL, higher INTEGER, PRIMARY KEY (run, item, method, metric)
) STRICT;
CREATE TABLE IF NOT EXISTS artefact (
  run TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE, path TEXT NOT NULL, sha256 TEXT NOT NULL,
  PRIMARY KEY (run, path)
) STRICT;
"""
_RUN = "id, kind, name, state, started, fingerprint, finished, recipe"
_SCORE = "run, item, method, metric, reason, value, higher"


@attrs.frozen
class Run:
    """One recorded run: evaluate, bench, train or imported."""

    id: str
    kind: str
    name: str
    state: str
    started: str
    finished: str | None
    fingerprint: str
    recipe: Mapping[str, Any]

    @property
    def data(self) -> str:
        """What it was measured on: a short name and a hash; only values on the same data can be compared.

        That is the source (the one for validation, if there is one), its files and the instant; a run that tells no
        source is one of its kind and name, or of the kind of data it tells.
        """
        experiment = _table(self.recipe, "experiment")
        role = "validation" if "validation" in experiment else "source"
        source = _table(experiment, role)
        if not source:
            return str(_table(self.recipe, "config").get("data_type") or f"{self.kind} {self.name}")
        inputs = _table(self.recipe, "inputs")
        told = {key: _table(inputs, key) for key in sorted(inputs) if key.startswith(role)}
        files = [(key, table.get("files"), table.get("bytes")) for key, table in told.items()]
        basis = json.dumps([source, files, _table(experiment, "run").get("at")], sort_keys=True)
        name = Path(str(source["path"])).name if "path" in source else source.get("use")
        return f"{name} {sha256(basis.encode()).hexdigest()[:4]}"


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A table in a table; an empty one if there is none."""
    found = table.get(key)
    return found if isinstance(found, Mapping) else {}


def default_path() -> Path:
    """The file named by SPIKECORE_RESULTS, else .spikecore/results.sqlite in the current folder."""
    return Path(os.environ.get(VARIABLE) or Path(".spikecore") / "results.sqlite")


class Results:
    """The results in one file. Every call opens and closes it, so any number of processes can share it.

    Args:
        path: The file; made, with its folder, on the first write.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = default_path() if path is None else path

    def start(
        self, kind: str, name: str, recipe: Mapping[str, Any], fingerprint: str = "", id: str = "", started: str = ""
    ) -> str:
        """Record the start of a run, now or at a time (ISO 8601), or that a known one goes on; returns its id."""
        id = id or uuid4().hex
        row = (id, kind, name, "running", started or _now(), None, fingerprint, json.dumps(recipe, default=str))
        with self._write() as store:
            again = "ON CONFLICT (id) DO UPDATE SET state = excluded.state, finished = NULL"
            store.execute(f"INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?) {again}", row)
        return id

    def add(self, run: str, scores: Iterable[Score]) -> None:
        """Record scores; a repeated (item, method, metric) replaces the older one."""
        rows = [(run, s.item, s.method, s.metric, *_real(s), _truth(s.higher_is_better)) for s in scores]
        with self._write() as store:
            store.executemany("INSERT OR REPLACE INTO score VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def add_artefact(self, run: str, path: Path, sha256: str) -> None:
        """Record a file that the run wrote."""
        with self._write() as store:
            store.execute("INSERT OR REPLACE INTO artefact VALUES (?, ?, ?)", (run, str(path), sha256))

    def finish(self, run: str, state: str) -> None:
        """Record the end of a run: done, failed or interrupted."""
        with self._write() as store:
            store.execute("UPDATE run SET state = ?, finished = ? WHERE id = ?", (state, _now(), run))

    def take(self, runs: Iterable[RecordedRun]) -> list[str]:
        """Record runs of a foreign file of results; returns their new ids."""
        ids = []
        for run in runs:
            id = self.start(run.kind, run.name, run.recipe, started=run.started)
            self.add(id, run.scores)
            self.finish(id, run.state)
            ids.append(id)
        return ids

    def recorded(self) -> list[RecordedRun]:
        """Every run with what it measured, the oldest first, for foreign files of results."""
        return [
            RecordedRun(
                run.kind, run.name, run.started, run.state, run.recipe, tuple(s for _, s in self.scores(run.id)), run.id
            )
            for run in reversed(self.runs())
        ]

    def runs(self, kind: str | None = None) -> list[Run]:
        """All runs, the last that was started or imported first: clocks are set back, numbers of rows are not."""
        with self._read() as store:
            order = "ORDER BY rowid DESC"
            rows = store.execute(f"SELECT {_RUN} FROM run WHERE ? IS NULL OR kind = ? {order}", (kind, kind))
            return [self._run(row) for row in rows]

    def find(self, reference: str) -> Run:
        """The run whose id begins with `reference`, or the newest of that name.

        Raises:
            UsageError: If there is none, or several ids begin so.
        """
        runs = self.runs()
        found = [run for run in runs if run.id.startswith(reference)] or [r for r in runs if r.name == reference][:1]
        if len(found) != 1:
            known = [run.id[:8] for run in runs] + [run.name for run in runs]
            raise UsageError(f"{len(found) or 'no'} runs {reference!r} in {self.path}: {closest(reference, known)}")
        return found[0]

    def scores(self, run: str | None = None) -> list[tuple[str, Score]]:
        """(run id, score) of one run, or of all."""
        with self._read() as store:
            rows = store.execute(f"SELECT {_SCORE} FROM score WHERE ? IS NULL OR run = ? ORDER BY rowid", (run, run))
            return [(row[0], self._score(row)) for row in rows]

    def artefacts(self, run: str) -> dict[str, str]:
        """Files a run wrote, and their sha256."""
        with self._read() as store:
            rows = store.execute("SELECT path, sha256 FROM artefact WHERE run = ?", (run,)).fetchall()
            return {self._text(path): self._text(digest) for path, digest in rows}

    def _run(self, row: Sequence[Any]) -> Run:
        *texts, finished, recipe = row
        try:
            held = json.loads(self._text(recipe))
        except (ValueError, RecursionError) as error:
            raise self._stranger(f"the recipe of run {row[0]!r:.80} is damaged: {error}") from None
        if not isinstance(held, dict):
            raise self._stranger(f"the recipe of run {row[0]!r:.80} is a {type(held).__name__}")
        id, kind, name, state, started, fingerprint = map(self._text, texts)
        return Run(
            id, kind, name, state, started, None if finished is None else self._text(finished), fingerprint, held
        )

    def _score(self, row: Sequence[Any]) -> Score:
        *texts, value, higher = row
        _, item, method, metric, reason = map(self._text, texts)
        if not isinstance(value, float | None) or higher not in (None, 0, 1):
            raise self._stranger(f"a value of {metric!r:.80} is {value!r:.80}")
        return Score(item, method, metric, value, reason, None if higher is None else bool(higher))

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._stranger(f"{value!r:.80} in the place of a text")
        return value

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as store:
                store.execute("BEGIN IMMEDIATE")
                yield store
                store.execute("COMMIT")
        except (OSError, sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise OutputError(f"{self.path}: the results could not be written: {error}") from error

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        if not os.path.isfile(self.path):
            with _closing(sqlite3.connect(":memory:")) as store:
                store.executescript(_SCHEMA)
                yield store
            return
        try:
            with self._open(patience=8) as store:
                yield store
        except sqlite3.OperationalError as error:
            raise OutputError(f"{self.path}: the results could not be read: {error}") from error

    @contextmanager
    def _open(self, patience: float = 30) -> Iterator[sqlite3.Connection]:
        with _closing(sqlite3.connect(self.path, timeout=patience, isolation_level=None)) as store:
            try:
                (application,) = store.execute("PRAGMA application_id").fetchone()
                if application != _APPLICATION:
                    self._prepare(store, application)
                self._refuse_other_schema(store)
                store.execute("PRAGMA synchronous = FULL")
                store.execute("PRAGMA foreign_keys = ON")
                yield store
            except (sqlite3.OperationalError, sqlite3.IntegrityError):
                raise
            except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite takes any bytes for text
                raise self._stranger(str(error)) from None

    def _prepare(self, store: sqlite3.Connection, application: int) -> None:
        tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if application not in (0, _APPLICATION) or tables - {"run", "score", "artefact"}:
            raise self._stranger("an SQLite file of another program")
        store.execute("BEGIN IMMEDIATE")  # with the rollback journal: the switch to WAL does not wait for its turn
        for statement in filter(str.strip, _SCHEMA.split(";")):
            store.execute(statement)
        store.execute(f"PRAGMA application_id = {_APPLICATION}")
        store.execute("COMMIT")

    def _refuse_other_schema(self, store: sqlite3.Connection) -> None:
        """Views, triggers and columns of another make could do anything when they are read."""
        found = store.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        if {_words(sql) for (sql,) in found} != _TABLES:
            raise self._stranger("an SQLite file of other tables")

    def _stranger(self, found: str) -> SpikeFormatError:
        hint = f"name another file: {VARIABLE}=results.sqlite, or --store results.sqlite"
        return SpikeFormatError(self.path, found, expected="a results file of spikecore", hint=hint)


def _real(score: Score) -> tuple[float | None, str]:
    """A Python number of any kind of number, NumPy's too, and why there is none: SQLite keeps no NaN."""
    value = None if score.value is None else float(score.value)
    return (None, score.reason or "not a number") if value != value else (value, score.reason)


def _truth(value: bool | None) -> bool | None:
    return None if value is None else bool(value)


def _words(sql: Any) -> str:
    return " ".join(str(sql).replace("IF NOT EXISTS ", "").split())


@contextmanager
def _closing(store: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield store
    finally:
        store.close()


_TABLES = frozenset(_words(statement) for statement in _SCHEMA.split(";") if statement.strip())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
