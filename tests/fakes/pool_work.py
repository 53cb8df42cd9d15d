"""What the workers of tests do. `job` is a folder that they share with the test, `item` a number."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from spikecore.errors import UsageError


class At:
    """A work: one of the functions below, at a folder."""

    def __init__(self, function: Callable[[str, int], dict[str, Any]], job: str = "") -> None:
        self.function, self.job = function, job

    def __call__(self) -> Callable[[int], dict[str, Any]]:
        """Called once in each process."""
        return partial(self.function, self.job)


class Unbuilt:
    """A work that cannot be built."""

    def __call__(self) -> Callable[[int], dict[str, Any]]:
        """Called once in each process."""
        raise UsageError("no such method")


def square(job: str, item: int) -> dict[str, Any]:
    """The square of the item, and who computed it."""
    return {"square": item * item, "pid": os.getpid()}


def complain(job: str, item: int) -> dict[str, Any]:
    """Item 1 is the user's fault, item 2 a fault of the code."""
    if item == 1:
        raise UsageError("item 1 cannot be\n  try: item 3")
    if item == 2:
        raise ZeroDivisionError("two")
    return square(job, item)


def leave(job: str, item: int) -> dict[str, Any]:
    """Item 1 tries to end the program."""
    if item == 1:
        raise SystemExit("enough")
    return square(job, item)


def die_once(job: str, item: int) -> dict[str, Any]:
    """Every odd item kills its worker the first time."""
    mark = Path(job, f"tried-{item}")
    if item % 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(job, item)


def die_on_two(job: str, item: int) -> dict[str, Any]:
    """Item 2 kills its worker every time, and leaves a file for each."""
    if item == 2:
        Path(job, f"killed-{os.getpid()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(job, item)


def send_much(job: str, item: int) -> dict[str, Any]:
    """Item 1 waits for `go`; the first time it then gives 10 MB, more than a pipe holds."""
    mark = Path(job, "sending")
    if item == 1 and not mark.exists():
        wait(job, item)
        mark.touch()
        return {"square": b"x" * 10_000_000}
    return square(job, item)


def wait(job: str, item: int) -> dict[str, Any]:
    """Say who does the item, then wait for the file `go`."""
    Path(job, f"began-{item}-{os.getpid()}").touch()
    while not Path(job, "go").exists():
        time.sleep(0.02)
    return square(job, item)
