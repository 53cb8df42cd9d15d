"""Between the layouts of files: packed frames, frames of any values, and words packed along time; always in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore import Layout, SpikeFormatError, SpikeStream, UsageError

WORD = 32
"""Frames in one word of spikes packed along time."""

_BLOCK_BYTES = 2**24
_BINARISE_HINT = "values above a threshold become spikes with binarise=0.5 (--in binarise=0.5)"


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


def check_spikes(
    path: Path, what: str, shape: tuple[int, ...], dtype: np.dtype[Any], binarise: float | None, limit: int
) -> None:
    """Refuse an array that cannot be spikes, before any of it is read.

    Raises:
        SpikeFormatError: Unless it has three dimensions, whole numbers (or `binarise` is given), at least one value,
            and fits in `limit` bytes: packed, and one frame of it unpacked.
    """
    expected = "spikes (frames, height, width) of 0 and 1"
    if len(shape) != 3:
        raise SpikeFormatError(path, f"{what} has shape {shape}", expected=expected)
    if min(shape) < 1:
        raise SpikeFormatError(path, f"{what} has shape {shape}, no values at all", expected=expected)
    if dtype.kind not in ("buif" if binarise is not None else "bui"):
        hint = (
            "values above a threshold become spikes with binarise=0.5 (--in binarise=0.5)" if dtype.kind == "f" else ""
        )
        raise SpikeFormatError(path, f"{what} holds {dtype} values", expected=expected, hint=hint)
    length, height, width = shape
    refuse_larger(path, f"{what} of shape {shape}", length * -(-height * width // 8), limit)
    refuse_larger(path, f"one frame of {what} of shape {shape}", height * width * dtype.itemsize, limit)


def refuse_larger(path: Path, what: str, size: int, limit: int) -> None:
    """Raise a `SpikeFormatError` if `what` needs more than `limit` bytes of memory."""
    if size > limit:
        hint = f"if the file can be trusted and the memory is there: limit={size} (--in limit={size})"
        raise SpikeFormatError(path, f"{what} needs {size} bytes", expected=f"at most {limit} bytes", hint=hint)


def pack_values(
    path: Path, shape: tuple[int, int, int], binarise: float | None, read: Callable[[int, int], NDArray[Any]]
) -> NDArray[np.uint8]:
    """Pack frames of 0 and 1 (or of anything, with a threshold) that `read(start, stop)` gives in order.

    Returns:
        uint8 (length, ceil(height × width / 8)), the plain layout.
    """
    length, height, width = shape
    packed = np.empty((length, -(-height * width // 8)), np.uint8)
    step = max(_BLOCK_BYTES // (height * width), 1)
    for start in range(0, length, step):
        stop = min(start + step, length)
        bits = _binary(path, read(start, stop), start, binarise)
        packed[start:stop] = np.packbits(bits.reshape(stop - start, -1), axis=1, bitorder="little")
    return packed


def _binary(path: Path, block: NDArray[Any], start: int, binarise: float | None) -> NDArray[Any]:
    if binarise is not None:
        if block.dtype.kind == "f" and np.isnan(block).any():
            raise SpikeFormatError(path, f"NaN in frame {_first(np.isnan(block), start)}", expected="numbers")
        return block > binarise
    if block.dtype.kind == "b":
        return block
    wrong = (block != 0) & (block != 1)
    if wrong.any():
        found = f"the value {block[wrong][0]} in frame {_first(wrong, start)}"
        raise SpikeFormatError(path, found, expected="spikes of 0 and 1", hint=_BINARISE_HINT)
    return block


def _first(flags: NDArray[np.bool_], start: int) -> int:
    return start + int(flags.any(axis=(1, 2)).argmax())
