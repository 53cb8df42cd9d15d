"""The inter-spike interval that covers each frame, for every frame of a stream.

A lane holds what is left of the longest interval: `longest` on the frame after a spike, one less with every frame, and
0 once the interval is too long or while no spike has been seen. So it never overflows, and at a spike the interval has
the length `longest + 1 - left`.

A block of columns goes through all frames twice. A first pass forwards marks what is left at the start of every span of
frames. Then, span by span from the last, what is left is found for each frame of the span, and backwards through the
span each spike hands the length of its interval to the frames before it. What is left stays in the second-level cache:
memory sees the packed frames and the result only, and the work does not depend on how long intervals are.
"""

from __future__ import annotations

from typing import Any

from spikecore.kernels._lanes import (
    address_of,
    fence,
    inlined,
    lanes_at,
    less_saturating,
    minus,
    pick,
    set_lanes,
    splat,
    where_positive,
    word_at,
)
from spikecore.kernels._rows import ask_ahead, emit_edges, emit_line, lines_of, scratch, word_of
from spikecore.kernels.compiled import compiled

BLOCK = 1024  # bytes of a frame worked on at a time, with lanes of 8 bits
SPAN = 64  # frames kept
AHEAD = 4  # frames between the one asked for and the one in use


@inlined
def length(left: Any, longest: int, like: Any) -> Any:
    """Length of the interval that a spike ends, 0 where unknown."""
    return where_positive(left, minus(splat(like, longest + 1), left))


@inlined
def later(left: Any, spikes: Any, longest: int, like: Any) -> Any:
    """What is left of the longest interval after one more frame."""
    return pick(spikes, splat(like, longest), less_saturating(left, splat(like, 1)))


@inlined
def _forwards(address: int, width: int, longest: int, left: Any, at: int, then: int) -> None:
    """One frame: `left` from element `at` on gives `left` from element `then` on."""
    whole = width & -8
    for byte in range(0, whole, 8):
        set_lanes(left, then + 8 * byte, later(lanes_at(left, at + 8 * byte), word_at(address + byte), longest, left))
    if whole < width:
        spikes = word_of(address + whole, width - whole)
        set_lanes(left, then + 8 * whole, later(lanes_at(left, at + 8 * whole), spikes, longest, left))


@inlined
def _mark(address: int, stride: int, frames: int, width: int, longest: int, pixels: int, marks: Any) -> None:
    """`left` before the first frame of every span, a row of `pixels` each."""
    for start in range(0, frames - SPAN, SPAN):
        at = start // SPAN * pixels
        for frame in range(start, start + SPAN):
            ask_ahead(address + (frame + AHEAD) * stride, width)
            _forwards(address + frame * stride, width, longest, marks, at, (start // SPAN + 1) * pixels)
            at = (start // SPAN + 1) * pixels


@inlined
def _backwards(
    address: int, width: int, longest: int, left: Any, lengths: Any, at: int, then: int, target: int, past_cache: bool
) -> None:
    """One frame: lengths from element `at` on go out to `target`; pixels that spike change to the interval that ends.

    `left` is the frame's row of them; the changed lengths are written from element `then` on.
    """
    size = 8 * width * lengths.itemsize
    source = address_of(lengths, at)
    head, lines = lines_of(target, size, lengths, past_cache)
    for k in range(lines):
        ended = length(lanes_at(left, 64 * k), longest, lengths)
        set_lanes(lengths, then + 64 * k, pick(word_at(address + 8 * k), ended, lanes_at(lengths, at + 64 * k)))
        emit_line(target + head, source + head, k, lengths, past_cache)
    for byte in range(8 * lines, width, 8):
        ended = length(lanes_at(left, 8 * byte), longest, lengths)
        spikes = word_of(address + byte, width - byte)
        set_lanes(lengths, then + 8 * byte, pick(spikes, ended, lanes_at(lengths, at + 8 * byte)))
    emit_edges(target, source, size, head, head + 64 * lines * lengths.itemsize)


@compiled
def sliding_intervals(
    source: int, stride: int, frames: int, longest: int, first: int, last: int, out: Any, past_cache: bool
) -> None:
    """Intervals closed on the left, of byte columns first..last-1, for as many of the frames as `out` has rows.

    `out` has a row for every frame or one fewer: the last frame may serve only as the end of intervals.
    """
    block = BLOCK // out.itemsize
    pixels = 64 * ((min(block, last - first) + 7) >> 3)
    left = scratch((SPAN + 1) * pixels, out)
    lengths = scratch(2 * pixels, out)
    nowhere = scratch(pixels, out)
    marks = scratch((frames // SPAN + 1) * pixels, out)
    for column in range(first, last, block):
        width = min(block, last - column)
        _mark(source + column, stride, frames, width, longest, pixels, marks)
        lengths[:] = 0
        at, then = 0, pixels
        for start in range((frames - 1) // SPAN * SPAN, -1, -SPAN):
            rows = min(SPAN, frames - start)
            address = source + column + start * stride
            for pixel in range(0, pixels, 64):
                set_lanes(left, pixel, lanes_at(marks, start // SPAN * pixels + pixel))
            for row in range(rows - 1):
                _forwards(address + row * stride, width, longest, left, row * pixels, (row + 1) * pixels)
            for row in range(rows - 1, -1, -1):
                target = address_of(nowhere, 0)
                if start + row < out.shape[0]:
                    target = address_of(out, (start + row) * out.shape[1] + 8 * column)
                kept = left[row * pixels : (row + 1) * pixels]
                _backwards(address + row * stride, width, longest, kept, lengths, at, then, target, past_cache)
                at, then = then, at
    fence()


@inlined
def _advance(address: int, stride: int, frames: int, size: int, longest: int, left: Any, ended: Any, at: int) -> None:
    """Move 64 pixels on by several frames, the first one's `size` bytes at an address."""
    open_, closed = lanes_at(left, at), lanes_at(ended, at)
    for frame in range(frames):
        spikes = word_of(address + frame * stride, size)
        closed = pick(spikes, open_, closed)
        open_ = later(open_, spikes, longest, left)
    set_lanes(left, at, open_)
    set_lanes(ended, at, closed)


@compiled
def advance(source: int, stride: int, frames: int, longest: int, width: int, left: Any, ended: Any) -> None:
    """Move all pixels on by several frames: what is left of the open interval, and what was left of the last ended one.

    Both arrays have room for 64 pixels to every 8 bytes.
    """
    whole = width & -8
    for byte in range(0, whole, 8):
        _advance(source + byte, stride, frames, 8, longest, left, ended, 8 * byte)
    if whole < width:
        _advance(source + whole, stride, frames, width - whole, longest, left, ended, 8 * whole)
