"""A second process that says which plugin was being loaded, where the first one dies or hangs of it."""

from __future__ import annotations

import os
import select
import signal
import time
import warnings
from contextlib import suppress
from typing import NoReturn

from spikecore.plugin.guard import SECONDS_VARIABLE, patience

_GRACE = 1.0  # seconds after those in which a plugin is stopped from within


class Watcher:
    """Watches over this process while plugins are loaded; what `tell` says last is what it is doing.

    A crash, a signal and code that holds the interpreter cannot be caught from within. Where processes cannot be
    forked, nobody watches.
    """

    def __init__(self) -> None:
        self._pipe, self._child = -1, 0

    def __enter__(self) -> Watcher:
        if not hasattr(os, "fork"):
            return self
        seconds, parent = patience(), os.getpid()
        with suppress(OSError), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the child does not use
            read, self._pipe = os.pipe()
            self._child = os.fork()
            if not self._child:
                os.close(self._pipe)
                _watch(read, parent, seconds)
            os.close(read)
        return self

    def tell(self, plugin: str) -> None:
        """Say which plugin's code runs from now on; "" for none."""
        if self._pipe >= 0:
            with suppress(OSError):
                os.write(self._pipe, plugin[:100].encode("utf-8", "replace").replace(b"\n", b" ") + b"\n")

    def __exit__(self, *_: object) -> None:
        self.tell("")
        if self._pipe >= 0:
            with suppress(OSError):
                os.close(self._pipe)
        if self._child:
            with suppress(OSError):
                os.waitpid(self._child, 0)


def _watch(pipe: int, parent: int, seconds: float) -> NoReturn:
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)  # whoever stops the program stops the other process
        signal.setitimer(signal.ITIMER_REAL, 0)
        for one in {0, 1} - {pipe}:
            with suppress(OSError):
                os.close(one)
        plugin = ""
        while True:
            ready = select.select([pipe], [], [], seconds + _GRACE if plugin else None)[0]
            told = os.read(pipe, 65536) if ready else b""
            if told:
                plugin = told.decode("utf-8", "replace").split("\n")[-2]
                continue
            if plugin:
                _say(plugin, parent, seconds if not ready else 0)
            break
    finally:
        os._exit(0)


def _say(plugin: str, parent: int, seconds: float) -> None:
    if not seconds:
        time.sleep(0.1)  # the last that a process gives up is being its children's parent
    alive = os.getppid() == parent
    if alive and not seconds:
        return  # the plugin closed files that are not its own
    what = f"takes longer than {seconds:g} seconds to be loaded ({SECONDS_VARIABLE} allows more) and cannot be stopped"
    if not alive:
        what = "was being loaded when the program ended"
    text = f"error: plugin {plugin!r} {what}\n  try: go on without it: SPIKECORE_DISABLE={plugin}\n"
    os.write(2, text.encode("utf-8", "replace"))
    if alive:
        os.kill(parent, signal.SIGKILL)
