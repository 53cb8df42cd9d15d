"""Packed bits as bytes of 0 and 1."""

from __future__ import annotations

from typing import Any

from spikecore.kernels._lanes import address_of, byte_at, fence, pick, put_lanes, splat, stream_lanes, word_at
from spikecore.kernels.compiled import compiled


@compiled
def unpack(source: int, stride: int, first: int, last: int, out: Any, past_cache: bool) -> None:
    """Frames first..last-1 as rows of `out`, which may have fewer pixels than the frames."""
    one, nothing = splat(out, 1), splat(out, 0)
    pixels = out.shape[1]
    for row in range(first, last):
        address, target = source + row * stride, address_of(out, row * pixels)
        head = min((-target & 63) >> 3, pixels >> 3) if past_cache else 0
        words = ((pixels >> 3) - head) >> 3
        for k in range(words):
            spikes = pick(word_at(address + head + 8 * k), one, nothing)
            if past_cache:
                stream_lanes(target + 8 * (head + 8 * k), spikes)
            else:
                put_lanes(target + 8 * (head + 8 * k), spikes)
        for pixel in range(8 * head):
            out[row, pixel] = byte_at(address + (pixel >> 3)) >> (pixel & 7) & 1
        for pixel in range(8 * (head + 8 * words), pixels):
            out[row, pixel] = byte_at(address + (pixel >> 3)) >> (pixel & 7) & 1
    fence()
