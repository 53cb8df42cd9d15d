"""With an address: a scheduler that is there already, or one clear message."""

from __future__ import annotations

import json
import socket

import dask_work as work
import pytest
from distributed import Client
from spikecore_plugin_dask.executor import DaskExecutor

from spikecore import SpikecoreError, UsageError


def squares(outcomes):
    return {outcome.item: outcome.result["square"] for outcome in outcomes}


def test_a_scheduler_by_file_and_by_address(scheduler, dask):
    _, path = scheduler
    dask("worker", "--scheduler-file", path, "--nthreads", 1, "--no-dashboard")
    expected = {item: item * item for item in range(5)}
    assert squares(DaskExecutor(1, str(path))(work.At(work.square), range(5))) == expected
    address = json.loads(path.read_text())["address"]
    assert squares(DaskExecutor(1, address)(work.At(work.square), range(5))) == expected


def test_a_worker_with_many_threads_does_one_item_at_a_time(scheduler, dask, tmp_path):
    dask("worker", "--scheduler-file", scheduler[1], "--nthreads", 4, "--no-dashboard")
    outcomes = list(DaskExecutor(1, str(scheduler[1]))(work.At(work.alone, tmp_path), range(6)))
    assert [outcome.reason for outcome in outcomes] == [""] * 6


def test_a_scheduler_that_ends_is_one_error(scheduler, dask, tmp_path):
    process, path = scheduler
    dask("worker", "--scheduler-file", path, "--nthreads", 1, "--no-dashboard")
    (tmp_path / "go-0").touch()
    outcomes = DaskExecutor(1, str(path))(work.At(work.wait, tmp_path), range(4))
    assert next(outcomes).result
    process.kill()
    with pytest.raises(SpikecoreError, match=r"connection to the scheduler was lost: .* the same command goes on"):
        list(outcomes)


def test_a_scheduler_without_workers(scheduler):
    with pytest.raises(UsageError, match=r"(?s)scheduler\.json has no workers.*try: .*dask worker"):
        next(DaskExecutor(1, str(scheduler[1]), timeout=0.5)(work.At(work.square), [0]))


def test_workers_of_another_version(scheduler, dask, tmp_path):
    old = tmp_path / "old" / "spikecore-0.0.7.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: spikecore\nVersion: 0.0.7\n")
    dask("worker", "--scheduler-file", scheduler[1], "--nthreads", 1, "--no-dashboard", path=old.parent)
    with pytest.raises(UsageError, match=r"(?s)worker tcp://.* has spikecore 0\.0\.7 \(here .*the same environment"):
        next(DaskExecutor(1, str(scheduler[1]))(work.At(work.square), [0]))


def test_workers_without_the_code(scheduler, dask, tmp_path):
    dask("worker", "--scheduler-file", scheduler[1], "--nthreads", 1, "--no-dashboard", path=tmp_path)
    with pytest.raises(UsageError, match=r"(?s)cannot take the job: .*No module named 'dask_work'.*the same env"):
        next(DaskExecutor(1, str(scheduler[1]))(work.At(work.square), [0]))


def test_workers_forget_a_job_that_is_done(scheduler, dask):
    _, path = scheduler
    dask("worker", "--scheduler-file", path, "--nthreads", 1, "--no-dashboard")
    list(DaskExecutor(1, str(path))(work.At(work.square), range(2)))
    with Client(scheduler_file=str(path), set_as_default=False) as client:
        held = client.run(lambda dask_worker: list(dask_worker.plugins))
    assert held
    assert not [name for names in held.values() for name in names if name.startswith("spikecore")]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"tcp://127.0.0.1:{free_port()}", "Timed out"),
        ("127.0.0.1", "missing port number"),
        ("cloud://127.0.0.1:8786", "unknown address scheme"),
        ("none.json", "no such file"),
    ],
)
def test_no_scheduler_there(address, found):
    executor = DaskExecutor(1, address, timeout=0.5)
    with pytest.raises(UsageError, match=rf"(?s)no dask scheduler at {address}: .*{found}.*try: dask scheduler"):
        next(executor(work.At(work.square), [0]))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"address": 3}'])
def test_a_file_that_is_no_scheduler_file(tmp_path, content):
    path = tmp_path / "scheduler.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"no dask scheduler at .*scheduler\.json"):
        next(DaskExecutor(1, str(path), timeout=0.5)(work.At(work.square), [0]))
