"""Work split over threads; the kernels let go of the GIL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise


def split(total: int, threads: int, unit: int) -> list[tuple[int, int]]:
    """At most `threads` ranges that cover 0..total-1, bounded at multiples of `unit`.

    >>> split(100, 2, 64)
    [(0, 64), (64, 100)]
    """
    units = -(-total // unit)
    parts = max(1, min(threads, units))
    bounds = [min(total, units * part // parts * unit) for part in range(parts + 1)]
    return list(pairwise(bounds))


def share(work: Callable[[int, int], None], total: int, *, threads: int, unit: int = 64) -> None:
    """Call work(first, last) on ranges of 0..total-1, each in a thread of its own where there are several."""
    ranges = split(total, threads, unit)
    if len(ranges) == 1:
        work(*ranges[0])
        return
    with ThreadPoolExecutor(len(ranges)) as pool:
        for done in [pool.submit(work, *bounds) for bounds in ranges]:
            done.result()
