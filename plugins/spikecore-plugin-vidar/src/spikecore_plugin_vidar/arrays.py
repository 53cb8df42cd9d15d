"""NumPy's array format, read without trusting it."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import attrs
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from spikecore import SpikeFormatError
from spikecore_plugin_vidar.values import check_spikes, pack_values

_PIECE = 2**24
_LONGEST = 10_000
"""Longer headers are not parsed: a hundred bytes say what spikes are."""


@attrs.frozen
class ArrayHeader:
    """What an array file says it holds; its size has been compared with the file's.

    Args:
        shape: Its shape.
        dtype: Its type: plain numbers or text, never objects.
        fortran: True if the first axis varies fastest.
        offset: Where the values begin, in bytes.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    offset: int

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize

    def stored(self, axes: str) -> tuple[tuple[int, ...], str]:
        """Shape and axes in the order in which the values lie, the axis that varies slowest first."""
        return (self.shape[::-1], axes[::-1]) if self.fortran else (self.shape, axes)


def read_header(path: Path, what: str, file: IO[bytes], size: int) -> ArrayHeader:
    """Read the header of an array file of `size` bytes and leave `file` at the first value.

    Raises:
        SpikeFormatError: If it holds Python objects, or more or fewer values than its bytes can hold.
        Exception: Whatever NumPy raises on a damaged header; the caller turns it into a `SpikeFormatError`.
    """
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise SpikeFormatError(path, f"{what} has array format {version}", expected="version 1 or 2")
    read, digits = (npy.read_array_header_1_0, 2) if version == (1, 0) else (npy.read_array_header_2_0, 4)
    start = file.read(digits)
    length = int.from_bytes(start, "little")
    if length > _LONGEST:
        raise SpikeFormatError(path, f"{what} has a header of {length} bytes", expected=f"at most {_LONGEST}")
    shape, fortran, dtype = read(BytesIO(start + file.read(length)))
    if dtype.kind not in "biufSU":
        found = "Python objects (a pickle)" if dtype.hasobject else f"{dtype} values"
        raise SpikeFormatError(path, f"{what} holds {found}", expected="plain numbers; pickles are never loaded")
    header = ArrayHeader(shape, dtype, fortran, file.tell())
    if min(shape, default=0) < 0 or header.offset + header.size != size:
        found = f"{what} claims {shape} values of {dtype}, {header.size} bytes, and has {size - header.offset}"
        raise SpikeFormatError(path, found, expected="as many as its header says")
    return header


def check_header(path: Path, what: str, header: ArrayHeader, binarise: float | None, axes: str, limit: int) -> None:
    """Refuse an array that cannot be spikes; see `check_spikes`."""
    shape, stored = header.stored(axes)
    check_spikes(path, what, shape, header.dtype, binarise, limit, stored)


def pack_array(
    path: Path, what: str, file: IO[bytes], header: ArrayHeader, binarise: float | None, axes: str, limit: int
) -> tuple[NDArray[np.uint8], tuple[int, int, int]]:
    """Pack an array of 0 and 1 whose values begin where `file` stands; the packed frames and (frames, height, width).

    Raises:
        SpikeFormatError: See `check_spikes` and `pack_values`.
        EOFError: If values are missing.
    """
    check_header(path, what, header, binarise, axes, limit)
    shape, stored = header.stored(axes)

    def read(start: int, stop: int) -> NDArray[Any]:
        return read_values(file, header, (stop - start) * shape[1] * shape[2]).reshape(-1, *shape[1:])

    packed = pack_values(path, shape, binarise, read, stored)
    length, height, width = (shape[stored.index(axis)] for axis in "thw")
    return packed, (length, height, width)


def read_values(file: IO[bytes], header: ArrayHeader, count: int) -> NDArray[Any]:
    """The next `count` values of an array file.

    Raises:
        EOFError: If there are fewer.
    """
    values = np.empty(count, header.dtype)
    held = memoryview(values.view(np.uint8).data) if values.nbytes else memoryview(b"")
    for start in range(0, len(held), _PIECE):
        data = file.read(min(_PIECE, len(held) - start))
        held[start : start + len(data)] = data
        if len(data) < min(_PIECE, len(held) - start):
            raise EOFError(f"{len(held) - start - len(data)} bytes are missing")
    return values
