"""Without an address: a local cluster does every item once, whatever happens to its workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import dask_work as work
import psutil
import pytest
from spikecore_plugin_dask.executor import DaskExecutor

from spikecore import Experiment, Job, PluginHost, find_executor, recipe_of, run_job, settled

EVALUATION = "spikecore_plugin_evaluate.evaluation:Evaluation"


def squares(outcomes):
    return {outcome.item: outcome.result["square"] for outcome in outcomes if outcome.result is not None}


def began(folder):
    """{item: pids that began it}."""
    found = {}
    for mark in folder.glob("began-*"):
        _, item, pid = mark.name.split("-")
        found.setdefault(int(item), set()).add(int(pid))
    return found


@pytest.fixture(scope="module")
def host():
    return PluginHost.discover()


@pytest.fixture
def job(host, tmp_path):
    """A function that makes a job of four clips with results in a folder of that name."""
    table = {
        "source": {"use": "builtin/scene", "height": 24, "width": 32, "length": 60, "clips": 4},
        "method": [{"use": "classic/tfp"}],
        "metric": [{"use": "builtin/psnr"}],
    }

    def job(name):
        experiment = settled(Experiment.from_dict(table, host))
        return Job.of(EVALUATION, experiment, recipe_of(experiment, tmp_path / name), tmp_path / name)

    return job


def scores(outcomes):
    """PSNR by item; time and memory differ from run to run."""
    rows = {outcome.item: outcome.result["scores"] for outcome in outcomes}
    return {item: [row["value"] for row in found if row["metric"] == "builtin/psnr"] for item, found in rows.items()}


def test_four_clips_have_the_results_of_the_local_executor_and_are_done_once(host, job, tmp_path):
    asked = []

    def executor(work, items):
        asked.append(list(items))
        return find_executor(host, "dask", 2)(work, items)

    here = scores(run_job(job("here"), range(4), find_executor(host, "local", 1)))
    there = scores(run_job(job("there"), range(4), executor))
    assert sorted(there) == [0, 1, 2, 3]
    assert there == here
    assert all(value > 10 for values in there.values() for value in values)
    for number in range(4):
        name = f"pictures/scene-0-{number}.png"
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    assert scores(run_job(job("there"), range(4), executor)) == here
    assert asked == [[0, 1, 2, 3]]


def test_an_error_is_the_reason_of_its_item_alone():
    outcomes = {outcome.item: outcome for outcome in DaskExecutor(2)(work.At(work.complain), range(4))}
    assert squares(outcomes.values()) == {0: 0, 3: 9}
    assert outcomes[1].reason == "item 1 cannot be\n  try: item 3"
    assert outcomes[2].reason == "ZeroDivisionError: two"


def test_a_killed_worker_loses_no_item(tmp_path, until):
    outcomes = DaskExecutor(2)(work.At(work.wait, tmp_path), range(4))
    (tmp_path / "go-0").touch()
    assert next(outcomes).item == 0
    (pid,) = until(lambda: began(tmp_path).get(1))
    os.kill(pid, signal.SIGKILL)
    until(lambda: len(began(tmp_path)[1]) == 2)
    for item in range(1, 4):
        (tmp_path / f"go-{item}").touch()
    assert squares(outcomes) == {1: 1, 2: 4, 3: 9}


def test_a_deadly_item_is_given_up_and_the_others_are_done(tmp_path):
    outcomes = list(DaskExecutor(2, tries=2)(work.At(work.die_on_two, tmp_path), range(6)))
    assert squares(outcomes) == {0: 0, 1: 1, 3: 9, 4: 16, 5: 25}
    (failed,) = (outcome for outcome in outcomes if outcome.result is None)
    assert (failed.item, failed.reason) == (2, "its worker died 2 times")
    assert len(list(tmp_path.glob("killed-*"))) == 2


def test_closing_early_leaves_no_processes(tmp_path, until, gone):
    outcomes = DaskExecutor(2)(work.At(work.wait, tmp_path), range(6))
    (tmp_path / "go-0").touch()
    assert next(outcomes).item == 0
    pids = until(lambda: began(tmp_path).get(1))
    outcomes.close()
    assert all(map(gone, pids))


def test_it_listens_on_the_loopback_interface_alone():
    outcomes = DaskExecutor(1)(work.At(work.square), range(2))
    next(outcomes)
    here = psutil.Process()
    open_ports = [
        connection.laddr.ip
        for process in (here, *here.children(recursive=True))
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    outcomes.close()
    assert open_ports
    assert set(open_ports) == {"127.0.0.1"}


SCRIPT = """
import sys
import dask_work
from spikecore_plugin_dask.executor import DaskExecutor
if __name__ == "__main__":
    try:
        list(DaskExecutor(2)(dask_work.At(dask_work.wait, sys.argv[1]), range(6)))
    except KeyboardInterrupt:
        sys.exit("stopped")
"""


def test_ctrl_c_ends_everything_with_one_message(tmp_path, until, gone):
    (tmp_path / "script.py").write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", tmp_path],
        env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        pids = until(lambda: len(began(tmp_path)) == 2 and set().union(*began(tmp_path).values()))
        os.killpg(process.pid, signal.SIGINT)
        for item in range(6):
            (tmp_path / f"go-{item}").touch()  # a worker that heard it would now say so
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert errors == "stopped\n"
    assert all(map(gone, pids))


def test_nothing_is_imported_before_it_is_asked_for():
    code = """
import sys
from spikecore import PluginHost
host = PluginHost.discover(allow=["dask"], block=[])
assert host.hook.spikecore_executor(name="local", workers=1, address="") is None
assert not {"dask", "distributed", "torch"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
