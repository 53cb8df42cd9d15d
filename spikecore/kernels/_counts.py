"""Spikes per pixel, in one window and in every window of a stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint8

from spikecore.kernels._lanes import (
    address_of,
    both,
    byte_at,
    bytes_at,
    differ,
    either,
    fence,
    inlined,
    lanes_at,
    minus,
    pick,
    plus,
    put_lanes,
    set_lanes,
    splat,
    word_at,
)
from spikecore.kernels._rows import ask_ahead, emit_edges, emit_line, lines_of, scratch, word_of
from spikecore.kernels.compiled import compiled

BLOCK = 2048  # bytes of a frame worked on at a time: 16384 counts of 8 bits, half a first-level cache
AHEAD = 4  # frames between the one asked for and the one in use
GROUP = 15  # frames that four bit planes can count


@inlined
def _add(a: Any, b: Any, c: Any) -> tuple[Any, Any]:
    """A full adder on every bit: sum and carry."""
    half = differ(a, b)
    return differ(half, c), either(both(a, b), both(half, c))


@inlined
def _seven(address: int, stride: int) -> tuple[Any, Any, Any]:
    """Bit planes (ones, twos, fours) of the number of spikes in seven rows of 64 bytes."""
    one, two_a = _add(bytes_at(address), bytes_at(address + stride), bytes_at(address + 2 * stride))
    one, two_b = _add(one, bytes_at(address + 3 * stride), bytes_at(address + 4 * stride))
    one, two_c = _add(one, bytes_at(address + 5 * stride), bytes_at(address + 6 * stride))
    two, four = _add(two_a, two_b, two_c)
    return one, two, four


@inlined
def _fifteen(address: int, stride: int, planes: int) -> None:
    """Four bit planes of the number of spikes in fifteen rows of 64 bytes, by carry-save adders."""
    one_a, two_a, four_a = _seven(address, stride)
    one_b, two_b, four_b = _seven(address + 7 * stride, stride)
    one, carry = _add(one_a, one_b, bytes_at(address + 14 * stride))
    two, carry = _add(two_a, two_b, carry)
    four, eight = _add(four_a, four_b, carry)
    put_lanes(planes, one)
    put_lanes(planes + 64, two)
    put_lanes(planes + 128, four)
    put_lanes(planes + 192, eight)


@inlined
def _stage(address: int, stride: int, rows: int, width: int, staged: Any) -> None:
    """Copy up to 15 rows of up to 64 bytes, and zeros in place of the missing ones."""
    staged[:] = 0
    for row in range(rows):
        if width == 64:
            put_lanes(address_of(staged, 64 * row), bytes_at(address + row * stride))
        else:
            for byte in range(width):
                staged[64 * row + byte] = uint8(byte_at(address + row * stride + byte))


@inlined
def _count_group(address: int, stride: int, rows: int, width: int, counted: Any, planes: Any, staged: Any) -> None:
    """Add the spikes of up to 15 frames of a block to its uint8 counts."""
    nothing = splat(counted, 0)
    for column in range(0, width, 64):
        if rows == GROUP and column + 64 <= width:
            _fifteen(address + column, stride, address_of(planes, 0))
        else:
            _stage(address + column, stride, rows, min(64, width - column), staged)
            _fifteen(address_of(staged, 0), 64, address_of(planes, 0))
        for word in range(0, 64, 8):
            pixel = 8 * (column + word)
            count = lanes_at(counted, pixel)
            for plane in range(4):
                spikes = word_at(address_of(planes, 64 * plane + word))
                count = plus(count, pick(spikes, splat(counted, 1 << plane), nothing))
            set_lanes(counted, pixel, count)


@inlined
def _count_block(address: int, stride: int, frames: int, width: int, out: Any, at: int) -> None:
    """Spikes per pixel of one block of columns, written to `out` from element `at` on."""
    counted = scratch(8 * BLOCK, np.empty(0, np.uint8))
    planes = scratch(256, counted)
    staged = scratch(64 * GROUP, counted)
    part = out[at : at + 8 * width]
    part[:] = 0
    most = 255 // GROUP * GROUP
    for start in range(0, frames, most):
        counted[:] = 0
        for group in range(start, min(start + most, frames), GROUP):
            rows = min(GROUP, frames - group)
            _count_group(address + group * stride, stride, rows, width, counted, planes, staged)
        for pixel in range(part.size):
            part[pixel] += counted[pixel]


@compiled
def counts(source: int, stride: int, frames: int, first: int, last: int, out: Any) -> None:
    """Spikes per pixel of byte columns first..last-1, written to `out` (all pixels)."""
    for column in range(first, last, BLOCK):
        _count_block(source + column, stride, frames, min(BLOCK, last - column), out, 8 * column)


@inlined
def _moved(count: Any, entering: Any, leaving: Any, like: Any) -> Any:
    """The counts of 64 pixels, with the window moved on by one frame."""
    one, nothing = splat(like, 1), splat(like, 0)
    return minus(plus(count, pick(entering, one, nothing)), pick(leaving, one, nothing))


@inlined
def _move_block(
    entering: int, leaving: int, width: int, counted: Any, at: int, then: int, target: int, past_cache: bool
) -> None:
    """Counts from element `at` on go out to `target` and give those of the next window from element `then` on."""
    size = 8 * width * counted.itemsize
    source = address_of(counted, at)
    head, lines = lines_of(target, size, counted, past_cache)
    for k in range(lines):
        count = lanes_at(counted, at + 64 * k)
        set_lanes(counted, then + 64 * k, _moved(count, word_at(entering + 8 * k), word_at(leaving + 8 * k), counted))
        emit_line(target + head, source + head, k, counted, past_cache)
    for byte in range(8 * lines, width, 8):
        count = lanes_at(counted, at + 8 * byte)
        new, old = word_of(entering + byte, width - byte), word_of(leaving + byte, width - byte)
        set_lanes(counted, then + 8 * byte, _moved(count, new, old, counted))
    emit_edges(target, source, size, head, head + 64 * lines * counted.itemsize)


@compiled
def sliding_counts(
    source: int, stride: int, window: int, first: int, last: int, begin: Any, out: Any, past_cache: bool
) -> None:
    """Spikes per pixel in every window, for byte columns first..last-1, from those in the first window, `begin`."""
    size = out.itemsize
    block = BLOCK // size
    counted = scratch(16 * block, out)
    for column in range(first, last, block):
        width = min(block, last - column)
        for pixel in range(8 * width):
            counted[pixel] = begin[8 * column + pixel]
        target = address_of(out, 8 * column)
        at, then = 0, 8 * block
        for row in range(out.shape[0] - 1):
            leaving = source + column + row * stride
            entering = leaving + window * stride
            ask_ahead(entering + AHEAD * stride, width)
            _move_block(entering, leaving, width, counted, at, then, target, past_cache)
            target += out.shape[1] * size
            at, then = then, at
        emit_edges(target, address_of(counted, at), 8 * width * size, 0, 0)
    fence()


@inlined
def _advance(entering: int, leaving: int, stride: int, frames: int, size: int, counted: Any, at: int) -> None:
    """Move the window of 64 pixels on by several frames; `size` bytes of them are at each address."""
    count = lanes_at(counted, at)
    for frame in range(frames):
        new, old = word_of(entering + frame * stride, size), word_of(leaving + frame * stride, size)
        count = _moved(count, new, old, counted)
    set_lanes(counted, at, count)


@compiled
def advance(entering: int, leaving: int, stride: int, frames: int, width: int, counted: Any) -> None:
    """Move one window on by several frames, all pixels; `counted` has room for 64 pixels to every 8 bytes."""
    whole = width & -8
    for byte in range(0, whole, 8):
        _advance(entering + byte, leaving + byte, stride, frames, 8, counted, 8 * byte)
    if whole < width:
        _advance(entering + whole, leaving + whole, stride, frames, width - whole, counted, 8 * whole)
