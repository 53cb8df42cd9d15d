"""The results store: nothing that was recorded is lost, and no file of others is touched."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from spikecore_plugin_results.store import Results

from spikecore import OutputError, Score, SpikeFormatError, UsageError
from spikecore.cli import main


def test_a_run_is_kept_with_its_scores_and_files(store, tmp_path):
    assert store.runs() == []
    assert not store.path.exists()
    id = store.start("evaluate", "night", {"seed": 3, "experiment": {"run": {}}}, "finger")
    assert [(run.state, run.finished) for run in store.runs()] == [("running", None)]
    scores = [
        Score("a", "classic/tfp", "psnr", 23.5, "", True),
        Score("a", "classic/tfi", "niqe", None, "no parameters", False),
        Score("", "classic/tfp", "time ms", 1.5, "", None),
    ]
    store.add(id, scores)
    store.add_artefact(id, tmp_path / "a.png", "0" * 64)
    store.finish(id, "done")
    (run,) = store.runs()
    assert (run.id, run.kind, run.name, run.state, run.fingerprint) == (id, "evaluate", "night", "done", "finger")
    assert run.recipe == {"seed": 3, "experiment": {"run": {}}}
    assert run.started <= run.finished
    assert store.scores(id) == [(id, score) for score in scores]
    assert store.artefacts(id) == {str(tmp_path / "a.png"): "0" * 64}


def test_a_repeated_score_replaces_the_older_one(store):
    id = store.start("evaluate", "x", {})
    store.add(id, [Score("a", "m", "psnr", 1.0), Score("b", "m", "psnr", 2.0)])
    store.add(id, [Score("a", "m", "psnr", 3.0)])
    assert sorted((score.item, score.value) for _, score in store.scores()) == [("a", 3.0), ("b", 2.0)]


def test_runs_come_newest_first_and_by_kind(store):
    ids = [store.start(kind, "x", {}) for kind in ("evaluate", "bench", "evaluate")]
    assert [run.id for run in store.runs()] == ids[::-1]
    assert [run.id for run in store.runs("evaluate")] == [ids[2], ids[0]]
    assert store.runs("train") == []


def test_a_clock_that_was_set_back_does_not_make_an_older_run_the_newest(store):
    first = store.start("evaluate", "same", {}, started="2031-01-01T00:00:00")
    second = store.start("evaluate", "same", {}, started="2026-01-01T00:00:00")
    assert store.find("same").id == second
    assert [run.id for run in store.runs()] == [second, first]
    assert [run.id for run in store.recorded()] == [first, second]


def test_find_by_the_beginning_of_the_id_or_by_name(store):
    for id in ("abc1", "abd2"):
        store.start("evaluate", "same", {}, id=id)
    assert store.find("abc").id == "abc1"
    assert store.find("same").id == "abd2"
    with pytest.raises(UsageError, match="2 runs 'ab'"):
        store.find("ab")
    with pytest.raises(UsageError, match=r"no runs 'sane'.*did you mean same"):
        store.find("sane")


def test_an_export_does_not_replace_the_results_themselves(tmp_path, capsys):
    path = tmp_path / "results.json"
    Results(path).start("evaluate", "x", {})
    with pytest.raises(SystemExit) as end:
        main(["results", "--store", str(path), "export", str(path)])
    assert end.value.code == 2
    assert "is the input itself" in capsys.readouterr().err
    assert [run.name for run in Results(path).runs()] == ["x"]


def test_where_the_file_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPIKECORE_RESULTS", raising=False)
    Results().start("evaluate", "x", {})
    assert (tmp_path / ".spikecore" / "results.sqlite").is_file()
    monkeypatch.setenv("SPIKECORE_RESULTS", str(tmp_path / "mine.sqlite"))
    Results().start("evaluate", "x", {})
    assert (tmp_path / "mine.sqlite").is_file()


WRITER = """
import sys, time
from pathlib import Path
from spikecore_plugin_results.store import Results
from spikecore import Score
store, name, commits = Results(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
id = store.start("evaluate", name, {})
for item in range(commits):
    store.add(id, [Score(str(item), name, metric, item + 0.5) for metric in "abc"])
    print(item, flush=True)
store.finish(id, "done")
"""


def writer(store, name, commits):
    command = [sys.executable, "-c", WRITER, store.path, name, str(commits)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_concurrent_writers_lose_nothing(store):
    processes = [writer(store, name, 50) for name in "wxyz"]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:  # all meet an absent file
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        assert process.communicate(timeout=60)[1] == ""
    assert {run.name: run.state for run in store.runs()} == dict.fromkeys("wxyz", "done")
    held = {(score.method, score.item, score.metric): score.value for _, score in store.scores()}
    assert held == {(name, str(i), metric): i + 0.5 for name in "wxyz" for i in range(50) for metric in "abc"}


def test_a_new_file_that_another_one_is_making_is_waited_for(tmp_path):
    path = tmp_path / "results.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor() as pool:
        started = pool.submit(Results(path).start, "evaluate", "x", {})
        time.sleep(0.3)
        other.execute("COMMIT")
        other.close()
        assert started.result(timeout=20) == Results(path).find("x").id


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011])
def test_a_kill_while_writing_loses_at_most_the_score_being_written(store, delay):
    with writer(store, "victim", 100_000) as process:
        process.stdin.write("\n")
        process.stdin.flush()
        while process.stdout.readline() != "5\n":
            pass
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        told = [int(line) for line in process.stdout.read().splitlines()]
    last = max(told, default=5)
    (run,) = store.runs()
    assert (run.name, run.state) == ("victim", "running")
    held = {}
    for _, score in store.scores(run.id):
        held.setdefault(int(score.item), []).append(score.value)
    assert list(held) == list(range(len(held)))
    assert len(held) - 1 in (last, last + 1)
    assert all(values == [item + 0.5] * 3 for item, values in held.items())
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    store.finish(run.id, "interrupted")
    assert store.find("victim").state == "interrupted"


def foreign(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.commit()
    connection.close()


STRANGERS = {
    "text": lambda path: path.write_text("run,score\n1,2\n"),
    "long text": lambda path: path.write_text("a results file\n" * 1000),
    "another program's": foreign,
}


@pytest.mark.parametrize("make", STRANGERS.values(), ids=STRANGERS)
def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path, make):
    path = tmp_path / "other.sqlite"
    make(path)
    before = path.read_bytes()
    for use in (lambda store: store.runs(), lambda store: store.start("evaluate", "x", {})):
        with pytest.raises(SpikeFormatError, match=r"(?s)other\.sqlite.*expected a results file.*--store"):
            use(Results(path))
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["other.sqlite"]


def test_a_damaged_results_file_is_named(store):
    id = store.start("evaluate", "x", {})
    store.add(id, [Score(str(item), "m", "psnr", 1.0) for item in range(2000)])
    content = bytearray(store.path.read_bytes())
    content[4096:] = b"\x99" * (len(content) - 4096)
    store.path.write_bytes(content)
    with pytest.raises(SpikeFormatError, match=r"results\.sqlite.*malformed"):
        store.scores()


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match=r"results\.sqlite: the results could not be written"):
        Results(tmp_path / "file" / "results.sqlite").start("evaluate", "x", {})
    (tmp_path / "folder.sqlite").mkdir()
    with pytest.raises(OutputError, match=r"folder\.sqlite: the results could not be written"):
        Results(tmp_path / "folder.sqlite").start("evaluate", "x", {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="could not be written"):
        Results(tmp_path / "locked" / "results.sqlite").start("evaluate", "x", {})
