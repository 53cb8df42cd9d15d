"""How surely sources recognise a file, where its name alone fits several."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from threading import Thread

from spikecore.plugin.component import Component

UNSAID = 0.5
"""What a source counts that does not say how sure it is."""

_HEAD = 4096
_PATIENCE = 5.0


def sureness(sources: Iterable[Component], path: Path) -> list[float]:
    """How sure each source is that `path` is its own, 0 to 1; see `Component.recognise`.

    Pipes and devices are never opened and unreadable files not asked about: there all count alike. A recogniser that
    fails, says anything but a number from 0 to 1, or takes longer than five seconds counts as 0.
    """
    head = _head(path)
    return [UNSAID if head is None or not source.recognise else _asked(source, path, head) for source in sources]


def _head(path: Path) -> bytes | None:
    """The first bytes of a regular file, b"" of a folder, None of anything else."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            return b""
        if not stat.S_ISREG(mode):
            return None
        with path.open("rb") as file:
            return file.read(_HEAD)
    except (OSError, ValueError):
        return None


def _asked(source: Component, path: Path, head: bytes) -> float:
    """In a thread of its own, because code that hangs can only be left behind, not stopped."""
    said: list[float] = []

    def ask() -> None:
        try:
            said.append(float(source.load_recogniser()(path, head)))
        except BaseException:  # what other sources read must not depend on this one's faults
            return

    with redirect_stdout(sys.stderr):  # what it prints is no result of a command
        thread = Thread(target=ask, name=f"recognise {source.id}", daemon=True)
        thread.start()
        thread.join(_PATIENCE)
    return said[0] if said and 0 <= said[0] <= 1 else 0.0
