"""What the workers of tests do. `job` is a folder that they share with the test, `item` a number."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from spikecore import UsageError


class At:
    """A work: one of the functions below, at a folder; notes there which process has built it."""

    def __init__(self, function: Callable[[str, int], dict[str, Any]], job: object = "") -> None:
        self.function, self.job = function, str(job)

    def __call__(self) -> Callable[[int], dict[str, Any]]:
        """Called once in each process."""
        if self.job:
            Path(self.job, f"built-{os.getpid()}").touch(exist_ok=False)
        return partial(self.function, self.job)


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


def die_on_two(job: str, item: int) -> dict[str, Any]:
    """Item 2 kills its worker every time, and leaves a file for each."""
    if item == 2:
        Path(job, f"killed-{os.getpid()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.3)  # so that some wait while a worker dies
    return square(job, item)


def wait(job: str, item: int) -> dict[str, Any]:
    """Say who does the item, then wait for the file go-ITEM."""
    Path(job, f"began-{item}-{os.getpid()}").touch()
    while not Path(job, f"go-{item}").exists():
        time.sleep(0.02)
    return square(job, item)


def alone(job: str, item: int) -> dict[str, Any]:
    """Fails if this process does two items at a time."""
    mark = Path(job, f"busy-{os.getpid()}")
    mark.touch(exist_ok=False)
    time.sleep(0.1)
    mark.unlink()
    return square(job, item)
