"""A connection to a scheduler with workers that can do our items: a local cluster, or one that is there already."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikecore import SpikeFormatError, UsageError, read_table

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

_START = """dask scheduler --scheduler-file scheduler.json
       dask worker --scheduler-file scheduler.json --nthreads 1"""
_SAME = ("spikecore", "spikecore-plugin-dask")


@contextmanager
def connected(workers: int, address: str, tries: int, timeout: float) -> Iterator[Client]:
    """A client of the scheduler at `address`; of a new local cluster of `workers` processes if that is "".

    Raises:
        UsageError: If there is no scheduler within `timeout` seconds, it has no workers, or theirs are other versions.
    """
    from distributed import Client
    from distributed.utils import silence_logging_cmgr

    if address:
        # what it would log becomes an error of ours
        with silence_logging_cmgr(logging.CRITICAL), _reach(address, timeout) as client:
            _check_workers(client, address, timeout)
            yield client
        return
    with _local(workers, tries) as cluster, Client(cluster, set_as_default=False) as client:
        yield client


def _local(workers: int, tries: int) -> LocalCluster:
    """One process a worker, on the loopback interface, without dashboard and logs.

    Ctrl-C is for this process alone, which then ends its workers: they inherit from it that they do not hear it.
    """
    import dask
    from distributed import LocalCluster

    resource_tracker.ensure_running()  # starting it would unblock what is blocked next
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        # no item waits at a worker, so that none but the one that is done there is blamed for its death
        with dask.config.set({"distributed.scheduler.worker-saturation": 1.0}):
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=0,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
                scheduler_kwargs={"allowed_failures": tries - 1, "dashboard_address": "127.0.0.1:0"},
            )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _reach(address: str, timeout: float) -> Client:
    from distributed import Client
    from distributed.comm import resolve_address

    try:
        there = resolve_address(_from_file(Path(address)) if address.endswith(".json") else address)
        return Client(there, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, TypeError, SpikeFormatError) as error:  # TypeError: tls:// without certificates
        raise UsageError(f"no dask scheduler at {address}: {error}\n  try: {_START}") from error


def _from_file(path: Path) -> str:
    """The address in a scheduler file."""
    address = read_table(path).get("address")
    if not isinstance(address, str):
        raise SpikeFormatError(path, "no address in it", expected="the file of a dask scheduler")
    return address


def _check_workers(client: Client, address: str, timeout: float) -> None:
    try:
        client.wait_for_workers(1, timeout)
    except TimeoutError:
        raise UsageError(f"the scheduler at {address} has no workers\n  try: {_START}") from None
    found = client.get_versions(packages=_SAME)
    ours = _versions(found["client"])
    for worker, theirs in found["workers"].items():
        other = {name: version for name, version in _versions(theirs).items() if version != ours[name]}
        if other:
            listed = ", ".join(f"{name} {version or 'missing'} (here {ours[name]})" for name, version in other.items())
            raise UsageError(f"the worker {worker} has {listed}\n  try: the same environment there as here")


def _versions(host: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """What must be the same at both ends; of Python 3.11.7 the 3.11."""
    packages = host["packages"]
    return {"python": ".".join(packages["python"].split(".")[:2]), **{name: packages[name] for name in _SAME}}
