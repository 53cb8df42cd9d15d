"""Between the layouts of files: packed frames, frames of any values, and words packed along time; always in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore import Layout, SpikeStream, UsageError

WORD = 32
"""Frames in one word of spikes packed along time."""

_BLOCK_BYTES = 2**24


def block_length(height: int, width: int) -> int:
    """Frames that are worked on at once: whole words, about 16 MiB when unpacked."""
    return max(_BLOCK_BYTES // (height * width) // WORD, 1) * WORD


def repack(packed: NDArray[np.uint8], layout: Layout, wanted: Layout) -> NDArray[np.uint8]:
    """The same pictures in another plain layout; the same memory where nothing has to change.

    Args:
        packed: (frames, layout.frame_bytes).
        layout: How they lie now.
        wanted: How they shall lie: of the same size, with nothing but pixels stored.

    Returns:
        uint8 (frames, wanted.frame_bytes).
    """
    if layout == wanted:
        return packed
    if layout.row_bits % 8 == 0 and layout == Layout(*_size(wanted), flip=not wanted.flip, bit_order=wanted.bit_order):
        rows = packed.reshape(len(packed), layout.height, -1)
        return np.ascontiguousarray(rows[:, ::-1]).reshape(len(packed), -1)
    frames = unpack(packed, layout)
    if wanted.flip:
        frames = frames[:, ::-1]
    return np.packbits(frames.reshape(len(frames), -1), axis=1, bitorder=wanted.bit_order)


def unpack(packed: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Packed frames as pictures (frames, height, width) of 0 and 1, top row first."""
    return layout.image(np.unpackbits(packed, axis=1, bitorder="little"))


def _size(layout: Layout) -> tuple[int, int]:
    return layout.height, layout.width


def blocks(stream: SpikeStream, wanted: Layout) -> Iterator[NDArray[np.uint8]]:
    """The frames of a stream in order, packed as `wanted`, a block at a time.

    Raises:
        UsageError: If the stream has no frames; no format has a way to say that.
    """
    if not len(stream):
        raise UsageError(f"{stream.name}: a recording without frames cannot be written")
    step = block_length(stream.height, stream.width)
    for start in range(0, len(stream), step):
        yield repack(stream.packed[start : start + step], stream.layout, wanted)


def to_words(frames: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Pack frames (T, H, W) of 0 and 1 along time, (ceil(T / 32), H, W): frame t is bit t % 32 of word t // 32."""
    planes = np.packbits(frames, axis=0, bitorder="little")
    missing = -len(planes) % 4
    planes = np.pad(planes, ((0, missing), (0, 0), (0, 0))).reshape(-1, 4, *frames.shape[1:])
    return np.ascontiguousarray(np.moveaxis(planes, 1, -1)).view("<u4")[..., 0]


def from_words(words: NDArray[Any], length: int) -> NDArray[np.uint8]:
    """The inverse of `to_words`: the first `length` frames, uint8 (length, H, W)."""
    planes = words.astype("<u4", copy=False).view(np.uint8).reshape(*words.shape, 4)
    planes = np.moveaxis(planes, -1, 1).reshape(-1, *words.shape[1:])
    return np.unpackbits(planes, axis=0, count=length, bitorder="little")
