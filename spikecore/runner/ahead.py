"""Preparing the next items in a thread while the current one is used."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield `items` in order, computing up to `depth` of them in advance in one background thread.

    Memory is bounded by `depth`. An exception in the thread is raised here, after the items before it. Closing the
    iterator early (an error or Ctrl-C in the consumer) stops the thread and closes `items`.

    >>> list(ahead((n * n for n in range(4)), depth=2))
    [0, 1, 4, 9]
    """
    if depth < 1:
        yield from items
        return
    queue: Queue[Any] = Queue(depth)
    stop = Event()
    thread = Thread(target=_fill, args=(items, queue, stop), name="spikecore-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = queue.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stop.set()
        _drain(queue)
        thread.join()


def _fill(items: Iterable[Any], queue: Queue[Any], stop: Event) -> None:
    iterator = iter(items)
    try:
        for item in iterator:
            if not _put(queue, (item, None), stop):
                return
        _put(queue, (_END, None), stop)
    except BaseException as error:  # handed to the consumer, which raises it
        _put(queue, (None, error), stop)
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


def _put(queue: Queue[Any], entry: Any, stop: Event) -> bool:
    while not stop.is_set():
        try:
            queue.put(entry, timeout=0.05)
            return True
        except Full:
            continue
    return False


def _drain(queue: Queue[Any]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
