"""Ctrl-C that is heard wherever it falls."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def postponed() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C sets; a second one raises `KeyboardInterrupt` at once, as usual.

    An exception that a signal raises may fall into a callback from a C library (those of h5py, destructors), which
    swallows it; an event cannot be lost. Only signals that would raise `KeyboardInterrupt` are taken, and only in the
    main thread, which gets them; elsewhere the event is never set.
    """
    stop = threading.Event()

    def note(_: int, __: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    taken = []
    if threading.current_thread() is threading.main_thread():
        taken = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is signal.default_int_handler]
    try:
        for one in taken:
            signal.signal(one, note)
        yield stop
    finally:
        for one in taken:
            signal.signal(one, signal.default_int_handler)
