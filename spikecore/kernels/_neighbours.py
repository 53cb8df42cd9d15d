"""Distance to the next spike of every pixel in one direction, and the interval that two distances make."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikecore.kernels._lanes import (
    address_of,
    both,
    byte_at,
    bytes_at,
    differ,
    either,
    inlined,
    lanes_at,
    pick,
    plus,
    positive,
    set_lanes,
    splat,
    word_at,
)
from spikecore.kernels._rows import scratch
from spikecore.kernels.compiled import compiled

BLOCK = 4096  # bytes of a frame worked on at a time: about a memory page, so that a mapped file is read once


@inlined
def _note(distance: int, spikes: Any, planes: Any, column: int) -> None:
    """Set the distance of the spiking pixels, bit by bit, in one plane of pixels to each bit."""
    plane = 0
    while distance >> plane:
        if distance >> plane & 1:
            at = plane * BLOCK + column
            set_lanes(planes, at, either(lanes_at(planes, at), spikes))
        plane += 1


@inlined
def _search(address: int, stride: int, frames: int, width: int, waiting: Any, planes: Any) -> None:
    """Go through the frames until every waiting pixel has spiked."""
    tail = np.zeros(64, np.uint8)
    for frame in range(frames):
        still = False
        for column in range(0, width, 64):
            unmet = lanes_at(waiting, column)
            if positive(unmet):
                place = address + frame * stride + column
                if column + 64 > width:
                    for byte in range(width - column):
                        tail[byte] = byte_at(place + byte)
                    place = address_of(tail, 0)
                spikes = both(unmet, bytes_at(place))
                if positive(spikes):
                    unmet = differ(unmet, spikes)
                    set_lanes(waiting, column, unmet)
                    _note(frame, spikes, planes, column)
                still = still or positive(unmet) != 0
        if not still:
            break


@inlined
def _write(waiting: Any, planes: Any, width: int, plane_count: int, offset: int, out: Any) -> None:
    """The distances of a block as numbers; -1 for pixels that still wait."""
    values = scratch(64, out)
    zero, none = splat(out, 0), splat(out, -1)
    for byte in range(0, width, 8):
        distance = splat(out, offset)
        for plane in range(plane_count):
            spikes = word_at(address_of(planes, plane * BLOCK + byte))
            distance = plus(distance, pick(spikes, splat(out, 1 << plane), zero))
        distance = pick(word_at(address_of(waiting, byte)), none, distance)
        if byte + 8 <= width:
            set_lanes(out, 8 * byte, distance)
        else:
            set_lanes(values, 0, distance)
            for pixel in range(8 * (width - byte)):
                out[8 * byte + pixel] = values[pixel]


@compiled
def first_spikes(source: int, stride: int, frames: int, offset: int, width: int, out: Any) -> None:
    """`offset` + the number of the first of some frames in which each pixel spikes, -1 where none does."""
    plane_count = 0
    while (frames - 1) >> plane_count > 0:
        plane_count += 1
    waiting = scratch(BLOCK, np.empty(0, np.uint8))
    planes = scratch((plane_count + 1) * BLOCK, waiting)
    for column in range(0, width, BLOCK):
        size = min(BLOCK, width - column)
        planes[:] = 0
        waiting[:] = 0
        waiting[:size] = 255
        _search(source + column, stride, frames, size, waiting, planes)
        _write(waiting, planes, size, plane_count, offset, out[8 * column : 8 * (column + size)])


@compiled
def join(before: Any, after: Any) -> None:
    """Length of the intervals that distances before and after make, in place of `before`; 0 where one is missing."""
    for pixel in range(before.size):
        known = before[pixel] >= 0 and after[pixel] >= 0
        before[pixel] = before[pixel] + after[pixel] if known else 0
