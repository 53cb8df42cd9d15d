"""Headers of NumPy's array format, read without trusting them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO, Any

import attrs
import numpy as np
from numpy.lib import format as npy

from spikecore import SpikeFormatError


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


def read_header(path: Path, what: str, file: IO[bytes], size: int) -> ArrayHeader:
    """Read the header of an array file of `size` bytes and leave `file` at the first value.

    Raises:
        SpikeFormatError: If it holds Python objects, or more or fewer values than its bytes can hold.
        Exception: Whatever NumPy raises on a damaged header; the caller turns it into a `SpikeFormatError`.
    """
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise SpikeFormatError(path, f"{what} has array format {version}", expected="version 1 or 2")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.kind not in "biufSU":
        found = "Python objects (a pickle)" if dtype.hasobject else f"{dtype} values"
        raise SpikeFormatError(path, f"{what} holds {found}", expected="plain numbers; pickles are never loaded")
    header = ArrayHeader(shape, dtype, fortran, file.tell())
    if min(shape, default=0) < 0 or header.offset + header.size != size:
        found = f"{what} claims {shape} values of {dtype}, {header.size} bytes, and has {size - header.offset}"
        raise SpikeFormatError(path, found, expected="as many as its header says")
    return header
