"""Arrays of one value per pixel and frame, packed while they are read; in blocks, whatever the order of their axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeFormatError
from spikecore_plugin_vidar.config import BASE_LIMIT, LARGEST_LIMIT, TIMES_FILE

_BLOCK_BYTES = 2**24
_WORKING = 4
"""A block is held as it is read, and as up to three arrays of bool."""
_MANY = 8
_EXPECTED = "spikes (frames, height, width) of 0 and 1"
_BINARISE_HINT = "values above a threshold become spikes with binarise=0.5 (--in binarise=0.5)"
_PACKED_HINT = (
    "these may be packed bits, eight spikes in a byte; unpack them and save that:\n"
    "    numpy.unpackbits(array.view('u1'), axis=0)  where eight frames share a byte, axis=-1 where eight columns do;\n"
    "    bitorder='little' where the lowest bit is the first\n"
    "  pictures with grey values are no spikes; they are simulated by other sources: spikecore list source"
)


def memory_limit(size: int, stated: int | None) -> int:
    """Most bytes that reading a file of `size` bytes may need: what is stated, else in proportion to the file."""
    return stated or min(max(BASE_LIMIT, TIMES_FILE * size), LARGEST_LIMIT)


def refuse_larger(path: Path, what: str, size: int, limit: int) -> None:
    """Raise a `SpikeFormatError` if `what` needs more than `limit` bytes of memory."""
    if size > limit:
        hint = f"if the file can be trusted and the memory is there: limit={size} (--in limit={size})"
        raise SpikeFormatError(path, f"{what} needs {size} bytes", expected=f"at most {limit} bytes", hint=hint)


def check_spikes(
    path: Path,
    what: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    binarise: float | None,
    limit: int,
    axes: str = "thw",
    unit: int = 1,
) -> None:
    """Refuse an array that cannot be spikes, before any of it is read.

    Args:
        path: Named in messages.
        what: Likewise.
        shape: Of the array as it is stored.
        dtype: Of its values.
        binarise: The threshold that makes spikes of other values.
        limit: Most bytes of memory.
        axes: What the axes of `shape` are.
        unit: Slices along the first axis that are read together.

    Raises:
        SpikeFormatError: Unless it has three dimensions, whole numbers (or `binarise` is given), at least one value,
            and fits in `limit` bytes: packed, and the smallest block that can be worked on.
    """
    if len(shape) != 3:
        raise SpikeFormatError(path, f"{what} has shape {shape}", expected=_EXPECTED)
    if min(shape) < 1:
        raise SpikeFormatError(path, f"{what} has shape {shape}, no values at all", expected=_EXPECTED)
    if dtype.kind not in ("buif" if binarise is not None else "bui"):
        hint = _BINARISE_HINT if dtype.kind == "f" else ""
        raise SpikeFormatError(path, f"{what} holds {dtype} values", expected=_EXPECTED, hint=hint)
    length, height, width = (shape[axes.index(axis)] for axis in "thw")
    refuse_larger(path, f"{what} of shape {shape}", length * -(-height * width // 8), limit)
    size = length * height * width * dtype.itemsize
    if size > 8 * limit:  # of small archives: it would take long
        hint = f"if the file can be trusted: limit={-(-size // 8)} (--in limit={-(-size // 8)})"
        raise SpikeFormatError(path, f"{what} unpacks to {size} bytes", expected=f"at most {8 * limit}", hint=hint)
    block = min(unit, shape[0]) * shape[1] * shape[2] * max(dtype.itemsize, _WORKING)
    refuse_larger(path, f"a block of {what} of shape {shape}", block, limit)


def pack_values(
    path: Path,
    shape: Sequence[int],
    binarise: float | None,
    read: Callable[[int, int], NDArray[Any]],
    axes: str = "thw",
    unit: int = 1,
) -> NDArray[np.uint8]:
    """Pack an array of 0 and 1 (or of anything, with a threshold).

    Args:
        path: Named in messages.
        shape: Of the array as it is stored.
        binarise: Values above it are spikes.
        read: `read(start, stop)` gives these slices along the first axis; asked for in order, each once.
        axes: What the axes are: t, h and w in any order.
        unit: Slices that are best read together.

    Returns:
        uint8 (length, ceil(height × width / 8)), the plain layout.

    Raises:
        SpikeFormatError: If there are other values.
    """
    length, height, width = (shape[axes.index(axis)] for axis in "thw")
    packed = np.zeros((length, -(-height * width // 8)), np.uint8)
    first, time = axes[0], axes.index("t")
    step = max(_BLOCK_BYTES // (shape[1] * shape[2]) // unit, 1) * unit
    if first != "t" and step > 8:
        step -= step % 8  # blocks begin with whole bytes
    for start in range(0, shape[0], step):
        stop = min(start + step, shape[0])
        bits = _binary(path, read(start, stop), time, start, binarise)
        if first == "t":
            upright = bits.transpose([axes.index(axis) for axis in "thw"]).reshape(stop - start, -1)
            packed[start:stop] = np.packbits(upright, axis=1, bitorder="little")
            continue
        # columns that come first are packed as if they were rows, and turned at the end; time varies fastest
        lines = np.moveaxis(bits, time, 2).reshape(-1, length)
        byte, bit = divmod(start * (height if first == "w" else width), 8)
        part = _pack_lines(lines, bit)
        packed[:, byte : byte + len(part)] |= part.T
    if first == "w":
        _turn(packed, height, width)
    return packed


def _pack_lines(lines: NDArray[Any], bit: int) -> NDArray[np.uint8]:
    """Lines (pixels, frames) of 0 and 1, the first at this bit of a byte, packed: what `packbits` does, but faster."""
    lines = np.pad(lines.astype(np.uint8, copy=False), ((bit, -(len(lines) + bit) % 8), (0, 0)))
    planes = lines.reshape(-1, 8, lines.shape[1])
    packed = planes[:, 0].copy()
    for place in range(1, 8):
        packed |= planes[:, place] << place
    return packed


def _turn(packed: NDArray[np.uint8], height: int, width: int) -> None:
    """Pictures packed column by column, packed row by row in the same memory."""
    step = max(_BLOCK_BYTES // (height * width), 1)
    for start in range(0, len(packed), step):
        part = packed[start : start + step]
        lying = np.unpackbits(part, axis=1, count=height * width, bitorder="little").reshape(-1, width, height)
        packed[start : start + step] = np.packbits(
            lying.transpose(0, 2, 1).reshape(len(part), -1), axis=1, bitorder="little"
        )


def _binary(path: Path, block: NDArray[Any], time: int, start: int, binarise: float | None) -> NDArray[Any]:
    """A block as 0 and 1; `time` is its axis of frames, of which the first is `start` if it is the first axis."""
    if binarise is not None:
        if block.dtype.kind == "f" and np.isnan(block).any():
            raise SpikeFormatError(path, f"NaN in frame {_first(np.isnan(block), time, start)}", expected="numbers")
        return block > binarise
    if block.dtype.kind == "b":
        block = block.view(np.uint8)  # a file may hold any byte where a truth value should be
    wrong = block > 1 if block.dtype.kind == "u" else (block != 0) & (block != 1)
    if wrong.any():
        found = f"the value {block[wrong][0]} in frame {_first(wrong, time, start)}"
        raise SpikeFormatError(path, found, expected="spikes of 0 and 1", hint=_remedy(block))
    return block


def _remedy(block: NDArray[Any]) -> str:
    """Two kinds of values are spikes by another name; many kinds, or several powers of two, are rather packed bits."""
    if block.dtype.kind != "u":
        return _BINARISE_HINT
    kinds = np.unique(block.ravel()[:_BLOCK_BYTES])
    kinds = kinds[kinds > 0]
    single = len(kinds) > 1 and kinds[-1] >= _MANY and not (kinds & (kinds - 1)).any()
    return _PACKED_HINT if single or len(kinds) >= _MANY else _BINARISE_HINT


def _first(flags: NDArray[np.bool_], time: int, start: int) -> int:
    frames = np.moveaxis(flags, time, 0).any(axis=(1, 2))
    return int(frames.argmax()) + (0 if time else start)
