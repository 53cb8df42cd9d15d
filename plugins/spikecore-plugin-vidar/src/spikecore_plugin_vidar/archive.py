"""Reading `.npz` archives that nobody vouches for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeFormatError
from spikecore.files.boundary import file_size, refusing
from spikecore_plugin_vidar.arrays import ArrayHeader, read_header
from spikecore_plugin_vidar.config import FOLDER_HINT
from spikecore_plugin_vidar.packing import check_spikes, pack_values, refuse_larger

_EXPECTED = "a NumPy archive (.npz)"
_SMALL = 1_000_000
_RATIO = 1000
_RATIO_COUNTS_FROM = 2**26


class Archive:
    """An open `.npz`; its directory has been checked, its arrays are checked as they are asked for.

    Args:
        path: Named in messages.
        file: The open zip file.
        limit: Most bytes that may be unpacked.
    """

    def __init__(self, path: Path, file: ZipFile, limit: int) -> None:
        self.path = path
        self.limit = limit
        self._file = file
        self._members = {info.filename.removesuffix(".npy"): info for info in _checked(path, file.infolist(), limit)}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._members)

    def array(self, name: str, largest: int = _SMALL) -> NDArray[Any]:
        """A whole array of at most `largest` bytes."""
        with self._open(name) as (file, header):
            refuse_larger(self.path, f"array {name!r} of shape {header.shape}", header.size, largest)
            values = np.frombuffer(_read(file, header.size), header.dtype)
            _finish(self.path, name, file)
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

    def spikes(self, name: str, binarise: float | None) -> tuple[NDArray[np.uint8], tuple[int, int, int]]:
        """Pack an array (frames, height, width) of 0 and 1 while it is read; the packed frames and its shape."""
        with self._open(name) as (file, header):
            check_spikes(self.path, f"array {name!r}", header.shape, header.dtype, binarise, self.limit)
            length, height, width = header.shape
            frame = header.size // length

            def read(start: int, stop: int) -> NDArray[Any]:
                values = np.frombuffer(_read(file, (stop - start) * frame), header.dtype)
                return values.reshape(stop - start, height, width)

            if header.fortran:
                whole = np.frombuffer(_read(file, header.size), header.dtype).reshape(header.shape, order="F")
                packed = pack_values(self.path, (length, height, width), binarise, lambda a, b: whole[a:b])
            else:
                packed = pack_values(self.path, (length, height, width), binarise, read)
            _finish(self.path, name, file)
        return packed, (length, height, width)

    @contextmanager
    def _open(self, name: str) -> Iterator[tuple[IO[bytes], ArrayHeader]]:
        if name not in self._members:
            raise SpikeFormatError(self.path, f"no array {name!r}", expected=_EXPECTED)
        info = self._members[name]
        with self._file.open(info) as file:
            yield file, read_header(self.path, f"array {name!r}", file, info.file_size)


@contextmanager
def open_archive(path: Path, limit: int) -> Iterator[Archive]:
    """Open a `.npz` whose arrays take at most `limit` bytes; whatever goes wrong inside is a `SpikeFormatError`."""
    file_size(path, _EXPECTED, FOLDER_HINT)
    with refusing(path, _EXPECTED), ZipFile(path) as file:
        yield Archive(path, file, limit)


def _checked(path: Path, members: list[ZipInfo], limit: int) -> list[ZipInfo]:
    """Refuse, from the directory alone, what could only be an accident or an attack."""
    names = Counter(info.filename.removesuffix(".npy") for info in members)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise SpikeFormatError(path, f"two arrays named {twice[0]!r}", expected="each name once")
    for info in members:
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            found = f"{info.filename} is packed by method {info.compress_type}"
            raise SpikeFormatError(path, found, expected="deflate")
        if info.file_size > max(_RATIO * info.compress_size, _RATIO_COUNTS_FROM):
            found = f"{info.filename} unpacks from {info.compress_size} to {info.file_size} bytes"
            hint = "if the file can be trusted, pack it again with numpy.savez"
            raise SpikeFormatError(path, found, expected=f"at most {_RATIO} times as much", hint=hint)
    refuse_larger(path, "the whole archive unpacked", sum(info.file_size for info in members), limit)
    return members


def _read(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise EOFError(f"{size - len(data)} bytes are missing")
    return data


def _finish(path: Path, name: str, file: IO[bytes]) -> None:
    """Read on to the end: only there does `zipfile` compare the checksum."""
    if file.read(1):
        raise SpikeFormatError(path, f"array {name!r} goes on after its last value", expected="nothing more")
