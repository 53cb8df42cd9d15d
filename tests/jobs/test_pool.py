"""Items in several processes: each gives one outcome, whatever happens to its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikecore.errors import Interrupted
from spikecore.jobs.pool import in_processes
from spikecore.plugin.executor import Worker

FAKES = Path(__file__).parents[1] / "fakes"
sys.path.insert(0, str(FAKES))
import pool_work as work  # noqa: E402  # the folder must be on the path first


def until(met, seconds=20):
    """Wait for something that takes a moment, and return it."""
    end = time.monotonic() + seconds
    while not (found := met()):
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)
    return found


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def began(folder):
    return {int(mark.name.rpartition("-")[2]) for mark in folder.glob("began-*")}


def squares(outcomes):
    return {outcome.item: outcome.result["square"] for outcome in outcomes if outcome.result is not None}


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_every_item_has_one_outcome(workers):
    outcomes = list(in_processes(work.At(work.square, ""), [5, 3, 8, 1], workers))
    assert sorted(outcome.item for outcome in outcomes) == [1, 3, 5, 8]
    assert squares(outcomes) == {1: 1, 3: 9, 5: 25, 8: 64}
    pids = {outcome.result["pid"] for outcome in outcomes}
    assert len(pids) <= workers
    assert (os.getpid() in pids) is (workers == 1)
    assert all(pid == os.getpid() or gone(pid) for pid in pids)


def test_no_items_start_nothing():
    assert list(in_processes(work.At(work.square, ""), [], 2)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_the_reason_of_its_item_alone(workers):
    outcomes = {outcome.item: outcome for outcome in in_processes(work.At(work.complain, ""), range(4), workers)}
    assert squares(outcomes.values()) == {0: 0, 3: 9}
    assert outcomes[1].reason == "item 1 cannot be\n  try: item 3"
    assert outcomes[2].reason == "ZeroDivisionError: two"
    assert outcomes[1].result is None
    assert outcomes[3].reason == ""


@pytest.mark.parametrize("workers", [1, 2])
def test_an_item_that_ends_the_program_ends_itself_alone(workers):
    outcomes = {outcome.item: outcome for outcome in in_processes(work.At(work.leave, ""), range(3), workers)}
    assert squares(outcomes.values()) == {0: 0, 2: 4}
    assert outcomes[1].reason == "SystemExit: enough"
    assert 'raise SystemExit("enough")' in outcomes[1].traceback


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Interrupted])
def test_a_stop_by_the_user_is_no_outcome(stop):
    def stopped(job, item):
        raise stop

    with pytest.raises(stop):
        Worker(work.At(stopped)).attempt(0)


def test_what_does_the_items_is_built_once(tmp_path):
    built = []

    def build():
        built.append(1)
        return work.At(work.square)()

    outcomes = list(in_processes(build, range(3), 1))
    assert squares(outcomes) == {0: 0, 1: 1, 2: 4}
    assert built == [1]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_cannot_be_built_is_the_reason_of_every_item(workers):
    outcomes = list(in_processes(work.Unbuilt(), range(3), workers))
    assert {outcome.item: outcome.reason for outcome in outcomes} == dict.fromkeys(range(3), "no such method")


def test_a_dead_worker_is_replaced_and_its_item_done(tmp_path):
    outcomes = list(in_processes(work.At(work.die_once, str(tmp_path)), range(4), 2))
    assert squares(outcomes) == {0: 0, 1: 1, 2: 4, 3: 9}
    assert len(list(tmp_path.glob("tried-*"))) == 2


def test_a_deadly_item_is_given_up_and_the_others_are_done(tmp_path):
    outcomes = list(in_processes(work.At(work.die_on_two, str(tmp_path)), range(5), 2, tries=2))
    assert squares(outcomes) == {0: 0, 1: 1, 3: 9, 4: 16}
    (failed,) = (outcome for outcome in outcomes if outcome.result is None)
    assert failed.item == 2
    assert "died 2 times" in failed.reason
    assert "-9" in failed.reason
    assert len(list(tmp_path.glob("killed-*"))) == 2


def test_a_worker_that_dies_between_two_items_costs_none():
    outcomes = []
    for outcome in in_processes(work.At(work.square, ""), range(5), 2):
        outcomes.append(outcome)
        os.kill(outcome.result["pid"], signal.SIGKILL)
        time.sleep(0.05)
    assert squares(outcomes) == {0: 0, 1: 1, 2: 4, 3: 9, 4: 16}


def test_a_worker_that_dies_while_it_answers_costs_none(tmp_path):
    outcomes = in_processes(work.At(work.send_much, str(tmp_path)), [0, 1], 2)
    assert next(outcomes).item == 0
    (pid,) = until(lambda: began(tmp_path))
    (tmp_path / "go").touch()
    until((tmp_path / "sending").exists)
    time.sleep(0.3)  # by now the pipe is full
    os.kill(pid, signal.SIGKILL)
    assert squares(outcomes) == {1: 1}


def test_closing_early_leaves_no_processes(tmp_path):
    (tmp_path / "go").touch()
    outcomes = in_processes(work.At(work.wait, str(tmp_path)), range(6), 2)
    next(outcomes)
    pids = began(tmp_path)
    (tmp_path / "go").unlink()
    outcomes.close()
    assert pids
    assert all(map(gone, pids))


SCRIPT = """
import sys
import pool_work
from spikecore.jobs.pool import in_processes
if __name__ == "__main__":
    try:
        list(in_processes(pool_work.At(pool_work.wait, sys.argv[1]), range(6), 2))
    except KeyboardInterrupt:
        sys.exit("stopped")
"""


def test_ctrl_c_ends_everything_with_one_message(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", tmp_path],
        env={**os.environ, "PYTHONPATH": str(FAKES)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        until(lambda: len(began(tmp_path)) == 2)
        os.killpg(process.pid, signal.SIGINT)
        errors = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert errors == "stopped\n"
    assert all(map(gone, began(tmp_path)))
