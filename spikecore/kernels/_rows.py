"""Parts shared by the kernels: aligned scratch, the last bytes of a row, rows of results on their way out.

Results are made in a scratch row that stays in the first-level cache and copied out while the next row is made. Where
they are too many for the caches, whole cache lines are written past them, which saves reading each line before it is
replaced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from spikecore.kernels._lanes import (
    address_of,
    byte_at,
    inlined,
    lanes_from,
    prefetch,
    put_lanes,
    put_word,
    stream_lanes,
    word_at,
)


@inlined
def scratch(count: int, like: Any) -> Any:
    """`count` zeros of the dtype of `like`, the first one at an address divisible by 64."""
    room = np.zeros(count + 64, like.dtype)
    lead = (-address_of(room, 0) & 63) // room.itemsize
    return room[lead : lead + count]


@inlined
def word_of(address: int, left: int) -> Any:
    """The word at an address with `left` bytes left in its row: missing bytes are 0, and nothing beyond is read."""
    if left >= 8:
        return word_at(address)
    word = uint64(0)
    for i in range(left):
        word |= byte_at(address + i) << uint64(8 * i)
    return word


@inlined
def ask_ahead(address: int, size: int) -> None:
    """Ask for a piece of a later frame: the hardware sees no pattern in short pieces a whole frame apart."""
    for line in range(0, size, 64):
        prefetch(address + line)


@inlined
def lines_of(target: int, size: int, like: Any, past_cache: bool) -> tuple[int, int]:
    """Bytes of a row of results up to its first whole cache line, and how many pieces of 64 results follow."""
    piece = 64 * like.itemsize
    head = min(-target & 63, size) if past_cache else 0
    return head, (size - head) // piece


@inlined
def emit_line(target: int, source: int, number: int, like: Any, past_cache: bool) -> None:
    """Copy one piece of 64 results."""
    offset = 64 * number * like.itemsize
    if past_cache:
        stream_lanes(target + offset, lanes_from(like, source + offset))
    else:
        put_lanes(target + offset, lanes_from(like, source + offset))


@inlined
def emit_edges(target: int, source: int, size: int, head: int, tail: int) -> None:
    """Copy the bytes, a multiple of 8, before `head` and from `tail` on."""
    for offset in range(0, head, 8):
        put_word(target + offset, word_at(source + offset))
    for offset in range(tail, size, 8):
        put_word(target + offset, word_at(source + offset))
