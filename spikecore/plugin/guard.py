"""Code of plugins, run so that no fault takes the program down: each becomes an error that names its owner."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TextIO

from spikecore.errors import Interrupted, PluginError, SpikecoreError, UsageError

SECONDS_VARIABLE = "SPIKECORE_PLUGIN_SECONDS"
_SECONDS = 8.0
_MOST = 2000


@contextmanager
def blamed(whose: str, fault: str = "failed") -> Iterator[None]:
    """Turn whatever code of a plugin raises, an attempt to end the program included, into an error that names it.

    Args:
        whose: Who is named, for example "plugin 'mine'" or "mine/mean".
        fault: What became of it.

    Raises:
        PluginError: "mine/mean failed: …" with the class and text of the exception, which is its cause.
        KeyboardInterrupt: If the user pressed Ctrl-C, swallowed or not. One that no signal caused is a fault.
    """
    with _ctrl_c() as pressed:
        try:
            yield
        except Interrupted:
            raise
        except BaseException as error:
            if pressed:
                raise KeyboardInterrupt from error
            if isinstance(error, SpikecoreError):
                raise
            raise PluginError(f"{whose} {fault}: {reason_of(error)}") from error
        if pressed:
            raise KeyboardInterrupt


@contextmanager
def loading(whose: str, fault: str = "failed", seconds: float = math.inf) -> Iterator[None]:
    """As `blamed`, for code that is imported or declares something: nothing of the program is its own.

    What it prints goes to stderr. It cannot close or replace stdout and stderr, change the folder, or end the process
    by `os._exit`.

    Args:
        whose: Who is named.
        fault: What became of it.
        seconds: Wall time after which it is stopped; outside the main thread it is only named then.

    Raises:
        PluginError: Also if it takes longer.
    """
    with ExitStack() as held:
        held.enter_context(blamed(whose, fault))
        if threading.current_thread() is threading.main_thread():  # what follows is the process's, not the thread's
            held.enter_context(_own_streams())
            held.enter_context(_own_process())
        if seconds < math.inf:
            held.enter_context(_in_time(whose, seconds))
        yield


def patience() -> float:
    """Seconds that a plugin may take to be loaded: SPIKECORE_PLUGIN_SECONDS, 8 by default.

    Raises:
        UsageError: If the variable holds anything but a positive number.
    """
    text = os.environ.get(SECONDS_VARIABLE, "")
    try:
        seconds = float(text or _SECONDS)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise UsageError(f"{SECONDS_VARIABLE}={text[:40]!r} is no positive number of seconds\n  try: unset it, or 8")
    return seconds


def reason_of(error: BaseException) -> str:
    """Why something failed, in one text: the message of an error a user can mend, else also the kind of error."""
    try:
        text = str(error)
    except BaseException:  # an exception whose own text cannot be had
        text = "an exception without a text"
    text = text if len(text) <= _MOST else f"{text[:_MOST]}…"
    if isinstance(error, SpikecoreError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextmanager
def _ctrl_c() -> Iterator[list[int]]:
    """The signals meanwhile that raised `KeyboardInterrupt`; only the main thread gets any."""
    pressed: list[int] = []
    before: dict[int, Callable[..., Any]] = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
        before = {one: handler for one, handler in handlers.items() if callable(handler)}

    def note(number: int, frame: Any) -> None:
        try:
            before[number](number, frame)
        except KeyboardInterrupt:
            pressed.append(number)
            raise

    try:
        for one in before:
            signal.signal(one, note)
        yield pressed
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class _Late(BaseException):
    """Raised in code that takes too long; no Exception, so that few handlers swallow it."""


@contextmanager
def _in_time(whose: str, seconds: float) -> Iterator[None]:
    """Stop code that takes longer, where signals can."""
    text = f"{whose} takes longer than {seconds:g} seconds to be loaded ({SECONDS_VARIABLE} allows more)"
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        watch = threading.Timer(seconds, lambda: sys.stderr.write(f"warning: {text}\n"))
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()
        return
    late: list[bool] = []
    open_ = [True]

    def ring(_: int, __: Any) -> None:
        if open_:
            late.append(True)
            raise _Late

    handler = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    except _Late:
        pass  # told below, as where it was swallowed
    finally:
        open_.clear()
        now, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler if handler is not None else signal.SIG_DFL)
        if left:  # the caller's own alarm goes on
            signal.setitimer(signal.ITIMER_REAL, max(left - (seconds - now), 1e-6), interval)
    if late:
        raise PluginError(text)


class _Lent:
    """Lends a stream to code that may close it: it writes through, and nothing else happens."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def close(self) -> None: ...

    def detach(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _own_streams() -> Iterator[None]:
    """Keep stdout for results, on the level of files too, and give both streams back as they were."""
    streams = sys.stdout, sys.stderr
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    kept = {}
    for number in range(3):
        with suppress(OSError):  # closed by whoever started the program
            kept[number] = os.dup(number)
    if {1, 2} <= kept.keys():
        os.dup2(2, 1)
    if sys.stderr is not None:
        sys.stdout = sys.stderr = _Lent(sys.stderr)
    try:
        yield
    finally:
        with suppress(OSError, ValueError, AttributeError):
            streams[0].flush()  # what was printed past the lent one
        for number, copy in kept.items():
            with suppress(OSError):
                os.dup2(copy, number)
                os.close(copy)
        sys.stdout, sys.stderr = (_reopened(stream, number) for number, stream in enumerate(streams, 1))


def _reopened(stream: TextIO, number: int) -> TextIO:
    """A stream, or another one to the same file where its own was closed."""
    if stream is None or not getattr(stream, "closed", False):
        return stream
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


@contextmanager
def _own_process() -> Iterator[None]:
    """Keep the folder and the handlers of signals, and turn `os._exit` into a `SystemExit`.

    A process that the code forks may end as it likes.
    """
    handlers = {one: signal.getsignal(one) for one in signal.valid_signals()}
    real, process, limit = os._exit, os.getpid(), sys.getrecursionlimit()
    folder = None
    with suppress(OSError):
        folder = os.getcwd()

    def leave(status: int) -> None:
        if os.getpid() != process:
            real(status)
        raise SystemExit(f"os._exit({status!r})")

    os._exit = leave  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = real
        for one, handler in handlers.items():
            if handler is not None and signal.getsignal(one) is not handler:
                signal.signal(one, handler)
        sys.setrecursionlimit(limit)
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)
