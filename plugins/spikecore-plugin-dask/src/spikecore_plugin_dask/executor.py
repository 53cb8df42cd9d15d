"""The items of a job as tasks of dask.distributed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs

from spikecore import SpikecoreError
from spikecore.pool import Outcome, Work, attempt
from spikecore_plugin_dask.cluster import connected

if TYPE_CHECKING:
    from distributed import Client, Future

_TURN = Lock()  # of this process; see `in_turn`


@attrs.frozen
class DaskExecutor:
    """Called as `executor(work, job, items)`, see `spikecore.jobs.Executor`.

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

    def __call__(self, work: Work, job: str, items: Sequence[int]) -> Iterator[Outcome]:
        """Outcomes in the order they come; closing early drops what waits and ends a local cluster.

        Raises:
            UsageError: If the scheduler cannot be used, see `cluster`.
            SpikecoreError: If it is lost on the way.
        """
        with connected(self.workers, self.address, self.tries, self.timeout) as client:
            futures = client.map(in_turn, list(items), work=work, job=job, pure=False)
            try:
                yield from _outcomes(client, dict(zip(futures, items, strict=True)))
            finally:
                client.cancel(futures)


def in_turn(item: int, work: Work, job: str) -> Outcome:
    """Do one item in a worker, after those that its other threads do.

    A method may keep a state, and the time and memory of an item are measured by what its process does; so a process
    does one thing at a time, however many threads the worker was given.
    """
    with _TURN:
        return attempt(work, job, item)


def _outcomes(client: Client, futures: dict[Future[Any], int]) -> Iterator[Outcome]:
    from distributed import as_completed

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
