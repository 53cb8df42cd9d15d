"""The two spikes before and the two after an instant, straight from packed spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeStream, Window
from spikecore.kernels.compiled import compiled

Distances = NDArray[np.int32]


def two_spikes(stream: SpikeStream, at: int) -> tuple[Distances, Distances, Distances, Distances]:
    """Frames from `at` to the last spike but one, the last and the next spike, and the next but one.

    The last two are looked for in frames 0..at-1, the next two in at..length-1. Distances are counted back and on, so
    none is negative, except -1 where there is no such spike; int32 (height, width).

    Raises:
        UsageError: If `at` is outside the recording.
    """
    Window().cut(stream, at)  # refuses instants outside
    layout = stream.layout
    back, on = np.full((2, 2, 8 * layout.frame_bytes), -1, np.int32)
    unused = np.ones(8 * layout.frame_bytes, np.bool_)
    unused[layout.index] = False
    ignored = np.packbits(unused, bitorder="little")
    _scan(stream.packed[:at][::-1], 1, ignored, back)
    _scan(stream.packed[at:], 0, ignored, on)
    near, far = layout.image(back), layout.image(on)
    return near[1], near[0], far[0], far[1]


@compiled
def _scan(frames: Any, first: int, ignored: Any, found: Any) -> None:
    """Number of the first and second frame with a spike, plus `first`, per pixel; ends when all pixels have both.

    Args:
        frames: uint8 (frames, bytes), in the order they are looked at.
        first: Distance of the first of them.
        ignored: uint8 (bytes,), a bit for each pixel that is not asked for.
        found: int32 (2, 8 * bytes), -1 everywhere; written.
    """
    width = frames.shape[1]
    once, twice = ignored.copy(), ignored.copy()
    open_bytes = np.sum(twice != 255)
    for number in range(frames.shape[0]):
        if not open_bytes:
            return
        for byte in range(width):
            bits = frames[number, byte] & ~twice[byte]
            if not bits:
                continue
            for bit in range(8):
                if (bits >> bit) & 1:
                    found[(once[byte] >> bit) & 1, 8 * byte + bit] = number + first
            twice[byte] |= bits & once[byte]
            once[byte] |= bits
            open_bytes -= twice[byte] == 255
