"""The processes that touch HDF5 for this one, so that it outlives what libhdf5 does not; see `hdf5_child`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from functools import cache
from pathlib import Path
from typing import IO, Any

import attrs

from spikecore.errors import SpikecoreError

_PROGRAM = Path(__file__).with_name("hdf5_child.py")
_MEMORY = 2 * 10**9
_PIPE = 2**20
_BUSY = 1
"""Exit code of a process that ended itself because a request took too long."""


class Died(Exception):  # what happened, told on by whoever asked
    """The process died of a request; the message says how."""


class Process:
    """One process that answers requests; started when it is needed, and again after it died.

    Hold `lock` around `ask`; a number of a file is worth something in the same `generation` only.

    Args:
        memory: Bytes it may take; 0 for as many as there are.
    """

    def __init__(self, memory: int) -> None:
        self.lock = threading.Lock()
        self.generation = 0
        """Grows where open files are lost."""
        self.deadly: dict[Any, str] = {}
        """Files it died of, and how: they are not tried again."""
        self.discarded: list[tuple[int, int]] = []
        """(generation, number) of files that nobody holds any more."""
        self._memory = memory
        self._running: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[Any, Any] | None = None

    def ask(self, request: dict[str, Any], data: Any = b"", into: Any = None) -> tuple[dict[str, Any], bytes | None]:
        """Send a request with the bytes that belong to it.

        Args:
            request: See `hdf5_child`.
            data: A buffer of bytes.
            into: A writable buffer that the bytes of the answer are to fill, if there are as many.

        Returns:
            The answer, and its bytes unless `into` took them.

        Raises:
            Died: If the process died of it; the next request starts another.
        """
        running = self._running or self._start()
        try:
            data = memoryview(data)
            text = json.dumps({**request, "bytes": len(data)}).encode()
            _send(running.stdin, len(text).to_bytes(4) + text)
            _send(running.stdin, data)
            said = json.loads(_receive(running.stdout, int.from_bytes(_receive(running.stdout, 4))))
            if into is not None and said["bytes"] == len(into):
                _fill(running.stdout, into)
                return said, None
            return said, _receive(running.stdout, said["bytes"])
        except (EOFError, BrokenPipeError):
            code = running.wait()
            self.stop()
            if code == _BUSY:
                raise Died(f"libhdf5 did not come to an end in {request.get('limit', 0):.0f} s") from None
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"code {code}"
            raise Died(f"libhdf5 crashed ({name})") from None
        except BaseException:  # Ctrl-C between a request and its answer: nobody could tell later what belongs to what
            self.stop()
            raise

    def stop(self) -> None:
        """End it without waiting for anything."""
        if self._end is not None:
            self._end()
        self._running = self._end = None
        self.generation += 1

    def _start(self) -> subprocess.Popen[bytes]:
        places = json.dumps([place for place in sys.path if place])
        command = [sys.executable, "-I", "-S", str(_PROGRAM), places, str(self._memory)]
        try:
            running = subprocess.Popen(  # our own program
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in a terminal is for this process to judge
            )
        except (OSError, ValueError) as error:
            raise SpikecoreError(f"no process could be started to read or write HDF5: {error}") from error
        self._end = weakref.finalize(self, _end, running, os.getpid())
        self._running = running
        self.discarded.clear()
        _widen(running)
        return running


def _end(running: subprocess.Popen[bytes], owner: int) -> None:
    if os.getpid() != owner:  # a fork holds it too, and must not end it
        return
    running.kill()
    for pipe in (running.stdin, running.stdout):
        if pipe is not None:
            pipe.close()
    running.wait()


def _widen(running: subprocess.Popen[bytes]) -> None:
    try:
        import fcntl

        for pipe in (running.stdin, running.stdout):
            assert pipe is not None
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    except (ImportError, AttributeError, OSError):  # it is only slower without
        return


def _send(pipe: IO[bytes] | None, data: Any) -> None:
    assert pipe is not None
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) :]


def _receive(pipe: IO[bytes] | None, count: int) -> bytes:
    data = bytearray(count)
    _fill(pipe, data)
    return bytes(data)


def _fill(pipe: IO[bytes] | None, into: Any) -> None:
    rest = memoryview(into)
    while rest:
        count = pipe.readinto(rest)  # type: ignore[union-attr]
        if not count:
            raise EOFError
        rest = rest[count:]


@attrs.define(eq=False)
class _Processes:
    """One process reads; one more for each file that is being written, so that none dies of another's damage."""

    reader: Process = attrs.field(factory=lambda: Process(_MEMORY))
    writers: list[Process] = attrs.field(factory=list)


@cache
def _of(process: int) -> _Processes:
    return _Processes()


def reader() -> Process:
    """The process that reads for this one: forks have their own."""
    return _of(os.getpid()).reader


def take_writer() -> Process:
    """A process that writes one file; hand it back with `return_writer` when it is written."""
    idle = _of(os.getpid()).writers
    try:
        return idle.pop()
    except IndexError:
        return Process(0)


def return_writer(process: Process) -> None:
    """Let the next file use it."""
    _of(os.getpid()).writers.append(process)
