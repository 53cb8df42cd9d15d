"""Writing HDF5 so that a full disk is an `OSError`: libhdf5 crashes of one, in a process of its own."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikecore.files.hdf5_process import Died, return_writer, take_writer

_PROBE = 2**22
_ERRNO = re.compile(r"errno = (\d+)")


class Writer:
    """A new HDF5 file, whose chunks and headers have checksums; give it the temporary path of `atomic`.

    As a context it is finished by leaving it, and abandoned where an exception leaves it.

    Args:
        path: The file; one that is there is replaced.

    Raises:
        OSError: From here and from every method, if the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = os.path.abspath(path)
        self._process = take_writer()
        self._generation = -1
        self._dtypes: dict[str, np.dtype[Any]] = {}
        self._file = self._ask({"do": "create", "path": self._path})["file"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._process.stop()

    def group(self, name: str) -> None:
        """Make a group."""
        self._ask({"do": "group", "name": name})

    def dataset(
        self,
        name: str,
        dtype: DTypeLike,
        shape: Sequence[int],
        chunks: Sequence[int],
        *,
        compression: int = 4,
        shuffle: bool = False,
        grows: bool = False,
    ) -> None:
        """Make a data set.

        Args:
            name: "NAME" or "GROUP/NAME".
            dtype: Type of its values.
            shape: Its shape so far.
            chunks: The shape of what is compressed together.
            compression: Level of gzip, 0..9.
            shuffle: Sort the bytes of values by their place before, which helps with numbers that are alike.
            grows: Whether `write` may go beyond the first axis.
        """
        self._dtypes[name] = np.dtype(dtype)
        options = {"compression": compression, "shuffle": shuffle, "grows": grows, "dtype": np.dtype(dtype).str}
        self._ask({"do": "dataset", "name": name, "shape": list(shape), "chunks": list(chunks), **options})

    def write(self, name: str, start: int, values: ArrayLike) -> None:
        """Write values into a data set, from `start` of its first axis on."""
        rows = np.ascontiguousarray(values, self._dtypes[name])
        self._ask({"do": "write", "name": name, "start": start}, rows.reshape(-1).view(np.uint8) if rows.size else None)

    def texts(self, name: str, texts: Sequence[str]) -> None:
        """Make a data set of texts."""
        self._ask({"do": "texts", "name": name, "texts": list(texts)})

    def describe(self, name: str, attributes: Mapping[str, str | int | float], *, fixed: bool = False) -> None:
        """Set attributes of a group, a data set, or of the file (""); texts of a fixed length where asked for."""
        self._ask({"do": "describe", "name": name, "attributes": dict(attributes), "fixed": fixed})

    def close(self) -> None:
        """Finish the file."""
        self._ask({"do": "close"})
        return_writer(self._process)
        self._generation = -1

    def _no_room(self) -> OSError | None:
        """Why no more can be written, if it is so: libhdf5 did not live to say it."""
        try:
            with open(self._path, "ab") as file:
                file.write(bytes(_PROBE))
        except OSError as error:
            return error
        return None

    def _ask(self, request: dict[str, Any], data: NDArray[np.uint8] | None = None) -> dict[str, Any]:
        process = self._process
        with process.lock:
            if request["do"] != "create":
                if process.generation != self._generation:
                    raise OSError(errno.EIO, "it was given up")
                request["file"] = self._file
            try:
                said, _ = process.ask(request, b"" if data is None else data)
            except Died as death:
                raise self._no_room() or OSError(errno.EIO, str(death)) from None
            self._generation = process.generation
        if "error" in said:
            process.stop()  # to close it would crash or fail as well
            found = _ERRNO.search(said["error"])
            reason = os.strerror(int(found[1])) if found else said["error"]
            raise OSError(int(found[1]) if found else errno.EIO, reason)
        return said
