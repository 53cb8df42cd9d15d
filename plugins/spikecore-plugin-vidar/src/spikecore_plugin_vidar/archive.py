"""Reading `.npz` archives that nobody vouches for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeFormatError
from spikecore.files.boundary import file_size, refusing
from spikecore_plugin_vidar.arrays import ArrayHeader, pack_array, read_header, read_values
from spikecore_plugin_vidar.config import FOLDER_HINT
from spikecore_plugin_vidar.values import memory_limit, refuse_larger
from spikecore_plugin_vidar.zip_directory import array_name, checked_members

_EXPECTED = "a NumPy archive (.npz)"
_SMALL = 1_000_000


class Archive:
    """An open `.npz`; its directory has been checked, its arrays are checked as they are asked for.

    Args:
        path: Named in messages.
        file: The open zip file.
        raw: The same file, as bytes.
        limit: Most bytes of memory that reading it may need.
    """

    def __init__(self, path: Path, file: ZipFile, raw: IO[bytes], limit: int) -> None:
        self.path = path
        self.limit = limit
        self._file = file
        self._members = {array_name(info): info for info in checked_members(path, file, raw)}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._members)

    def array(self, name: str, largest: int = _SMALL) -> NDArray[Any]:
        """A whole array of at most `largest` bytes."""
        with self._open(name) as (file, header):
            refuse_larger(self.path, f"array {name!r} of shape {header.shape}", header.size, largest)
            values = read_values(file, header, header.size // max(header.dtype.itemsize, 1))
        return values.reshape(header.shape, order="F" if header.fortran else "C")

    def number(self, name: str) -> int | float:
        """A single number.

        Raises:
            SpikeFormatError: If it is anything else, or not finite.
        """
        value = self.array(name)
        if value.shape != () or value.dtype.kind not in "iuf" or not np.isfinite(value):
            raise SpikeFormatError(self.path, f"{name} is {value.dtype} {value.shape}", expected="one finite number")
        found: int | float = value.item()
        return found

    def text(self, name: str) -> str:
        """A single text."""
        value = self.array(name)
        if value.shape != () or value.dtype.kind != "U":
            raise SpikeFormatError(self.path, f"{name} is {value.dtype} {value.shape}", expected="one text")
        return str(value)

    def spikes(
        self, name: str, binarise: float | None, axes: str = "thw"
    ) -> tuple[NDArray[np.uint8], tuple[int, int, int]]:
        """Pack an array of 0 and 1 while it is read; the packed frames and (frames, height, width)."""
        with self._open(name) as (file, header):
            return pack_array(self.path, f"array {name!r}", file, header, binarise, axes, self.limit)

    @contextmanager
    def slices(self, name: str) -> Iterator[tuple[ArrayHeader, Callable[[int], NDArray[Any]]]]:
        """The header of an array, and a function that reads so many more slices along its first axis."""
        with self._open(name) as (file, header):
            inner = header.shape[1:]
            count = int(np.prod(inner, dtype=object))
            yield header, lambda number: read_values(file, header, number * count).reshape(number, *inner)

    @contextmanager
    def _open(self, name: str) -> Iterator[tuple[IO[bytes], ArrayHeader]]:
        """An array at its first value; it must be read to its end, where `zipfile` compares the checksum."""
        if name not in self._members:
            raise SpikeFormatError(self.path, f"no array {name!r}", expected=_EXPECTED)
        info = self._members[name]
        with self._file.open(info) as file:
            yield file, read_header(self.path, f"array {name!r}", file, info.file_size)
            if file.read(1):
                raise SpikeFormatError(self.path, f"array {name!r} was not read to its end", expected="nothing more")


@contextmanager
def open_archive(path: Path, limit: int | None) -> Iterator[Archive]:
    """Open a `.npz` for which `limit` bytes of memory suffice; whatever goes wrong inside is a `SpikeFormatError`."""
    size = file_size(path, _EXPECTED, FOLDER_HINT)
    with refusing(path, _EXPECTED), path.open("rb") as raw, ZipFile(path) as file:
        yield Archive(path, file, raw, memory_limit(size, limit))
