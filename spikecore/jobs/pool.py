"""Many items in several processes: a worker that dies costs only its item one try, and nothing else."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from spikecore.plugin.executor import Outcome, Work, Worker


def in_processes(work: Work, items: Sequence[int], workers: int, tries: int = 3) -> Iterator[Outcome]:
    """Outcomes in the order they come. Workers are spawned; one that dies is replaced and its item tried again.

    Args:
        work: What to do; built once in each process.
        items: Numbers of the items.
        workers: Number of processes; 1 or fewer works in this one.
        tries: How often an item may kill its worker before it counts as failed.
    """
    if workers <= 1:
        here = Worker(work)
        yield from (here.attempt(item) for item in items)
        return
    waiting = deque((item, 1) for item in items)
    busy: dict[Any, _Process] = {}
    spare: list[_Process] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = _alive(spare) or _Process(work)
                worker.take(*waiting.popleft())
                busy[worker.line] = worker
            for line in wait(list(busy)):
                worker = busy.pop(line)
                outcome = worker.outcome()
                if outcome is not None:
                    spare.append(worker)
                    yield outcome
                elif worker.number < tries:
                    waiting.append((worker.item, worker.number + 1))
                else:
                    yield Outcome(worker.item, reason=f"its worker process died {tries} times ({worker.death})")
    finally:
        for worker in [*busy.values(), *spare]:
            worker.end()


class _Process:
    """A spawned process that does one item at a time."""

    def __init__(self, work: Work) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        resource_tracker.ensure_running()  # starting it would unblock what is blocked next
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited, until `_serve` ignores it
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        theirs.close()
        self.item, self.number, self.death = 0, 0, ""

    def take(self, item: int, number: int) -> None:
        """Start an item; `number` counts its tries."""
        self.item, self.number = item, number
        with suppress(OSError):  # it died just now; `outcome` finds out
            self.line.send(item)

    def outcome(self) -> Outcome | None:
        """The outcome of the item, or None if the process died over it."""
        try:
            outcome: Outcome = self.line.recv()
            return outcome
        except (EOFError, OSError):  # OSError: it died while it sent
            self._process.join()
            self.death = f"exit code {self._process.exitcode}"
            self.line.close()
            return None

    def idle(self) -> bool:
        """Whether it is there and waits for an item; one without an item has nothing to say but its end."""
        return not self.line.poll()

    def end(self) -> None:
        """Stop the process."""
        self._process.terminate()
        self._process.join()
        self.line.close()


def _alive(spare: list[_Process]) -> _Process | None:
    while spare:
        worker = spare.pop()
        if worker.idle():
            return worker
        worker.end()
    return None


def _serve(line: Connection, work: Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its workers
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    worker = Worker(work)
    while True:
        try:
            item = line.recv()
        except EOFError:
            return
        line.send(worker.attempt(item))
