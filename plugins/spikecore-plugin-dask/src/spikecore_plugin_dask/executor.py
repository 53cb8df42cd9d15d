"""The items of a job as tasks of dask.distributed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import attrs
from distributed import WorkerPlugin, as_completed, get_worker

from spikecore import Outcome, SpikecoreError, UsageError, Work, Worker
from spikecore_plugin_dask.cluster import connected

if TYPE_CHECKING:
    from distributed import Client, Future

_TURN = Lock()  # of this process, whatever jobs it does


@attrs.frozen
class DaskExecutor:
    """Called as `executor(work, items)`, see `spikecore.Executor`.

    Args:
        workers: Processes of the local cluster that is started where no address is given.
        address: Of a scheduler ("tcp://host:8786"), or its scheduler file.
        tries: How often an item may kill a worker of the local cluster; other schedulers count by their own
            `allowed-failures`.
        timeout: Seconds to wait for the scheduler and its first worker.
    """

    workers: int
    address: str = ""
    tries: int = 3
    timeout: float = 15.0

    def __call__(self, work: Work, items: Sequence[int]) -> Iterator[Outcome]:
        """Outcomes in the order they come; closing early drops what waits and ends a local cluster.

        Raises:
            UsageError: If the scheduler cannot be used, see `cluster`, or its workers lack the code.
            SpikecoreError: If it is lost on the way.
        """
        with connected(self.workers, self.address, self.tries, self.timeout) as client:
            job = WorkOfProcess(work)
            futures: list[Future[Any]] = []
            try:
                _hand_out(client, job)
                futures += client.map(do, list(items), name=job.name, pure=False)
                yield from _outcomes(client, dict(zip(futures, items, strict=True)))
            finally:
                client.cancel(futures)
                _forget(client, job.name)


class WorkOfProcess(WorkerPlugin):  # type: ignore[misc]  # dask is half typed
    """Holds what does the items of a job in a worker process, as long as the job lasts.

    A method may keep a state, and the time and memory of an item are measured by what its process does; so a process
    does one thing at a time, however many threads the worker was given.
    """

    def __init__(self, work: Work) -> None:
        self.work, self.name = work, f"spikecore-{uuid4().hex}"

    def setup(self, worker: Any) -> None:
        """Called by dask in each worker, also in those that come later."""
        self.worker = Worker(self.work)

    def attempt(self, item: int) -> Outcome:
        """Do one item, after what other threads of the process do."""
        with _TURN:
            return self.worker.attempt(item)


def do(item: int, name: str) -> Outcome:
    """Do one item in a worker."""
    outcome: Outcome = get_worker().plugins[name].attempt(item)
    return outcome


def _hand_out(client: Client, job: WorkOfProcess) -> None:
    """Give every worker the job, those too that come later."""
    try:
        client.register_plugin(job, name=job.name)
    except Exception as error:  # dask raises whatever the worker did, or a bare Exception with its text
        raise UsageError(
            f"the workers cannot take the job: {error}\n  try: the same environment there as here"
        ) from error


def _forget(client: Client, name: str) -> None:
    """Let the workers drop what they hold of a job; a scheduler that is lost would be waited for in vain."""
    if client.status != "running":
        return
    with suppress(Exception):  # whatever a worker raises that went just now, or never took it
        client.unregister_worker_plugin(name)


def _outcomes(client: Client, futures: dict[Future[Any], int]) -> Iterator[Outcome]:
    try:
        for future in as_completed(futures, loop=client.loop):
            failed = future.status == "error"
            yield Outcome(futures[future], reason=_reason(future)) if failed else future.result()
    except (OSError, CancelledError) as error:
        again = "what is done is kept, the same command goes on"
        raise SpikecoreError(f"the connection to the scheduler was lost: {again}") from error


def _reason(future: Future[Any]) -> str:
    from distributed import KilledWorker

    error = future.exception()
    if isinstance(error, KilledWorker):
        return f"its worker died {error.allowed_failures + 1} times"
    return f"{type(error).__name__}: {error}"
