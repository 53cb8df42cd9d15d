"""HDF5 files that are read by another process: `File`, `Group`, `Dataset` and attributes, as far as h5py's go.

Damage that libhdf5 dies of or spins on is a `SpikeFormatError` here, and so is every other failure.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import SpikeFormatError
from spikecore.files.hdf5_process import Died, Process, reader

_BLOCK = 2**23
_SPEED = 10**8
_PATIENCE = 5.0
"""Seconds that any request may take, and one more for each MB of the file and for each 100 MB of values."""
WHOLE = "an undamaged HDF5 file"


class File:
    """An open file; closed with `with`, or when nobody holds it or a part of it.

    It may be sent to other processes, and outlives forks and crashes: it is opened again where it is asked next, and
    refused if it is not the same file by then.

    Args:
        path: The file.
        expected: What it should be, for messages.

    Raises:
        SpikeFormatError: If it cannot be opened.
    """

    def __init__(self, path: Path, expected: str = WHOLE) -> None:
        self.path, self.expected = path, expected
        self._held: tuple[Process, int, int] | None = None
        self._real = os.path.realpath(path)
        self._identity = self._look()
        self._limit = _PATIENCE + self._identity[2] / 10**6
        self.ask("look", "")

    def ask(self, do: str, name: str, into: Any = None, **more: Any) -> tuple[dict[str, Any], bytes | None]:
        """The answer to a request about what is called `name`; see `hdf5_child`."""
        process = reader()
        limit = self._limit + (0 if into is None else len(into) / _SPEED)
        with process.lock:
            try:
                if self._held is None or self._held[:2] != (process, process.generation):
                    self._held = (process, *self._open(process))
                _close_discarded(process)
                said, values = process.ask(
                    {"do": do, "file": self._held[2], "name": name, "limit": limit, **more}, into=into
                )
            except Died as death:
                process.deadly[self._identity] = str(death)
                raise self._damaged(str(death)) from None
        if "error" in said:
            raise self._damaged(said["error"])
        return said, values

    def read_at(self, offset: int, into: memoryview) -> None:
        """Fill `into` with the bytes from `offset` on, past HDF5: for values that are stored one after another."""
        try:
            with open(self._real, "rb", buffering=0) as raw:
                self._refuse_changed()
                raw.seek(offset)
                while into:
                    count = raw.readinto(into)
                    if not count:
                        raise self._damaged("it ends too early")
                    into = into[count:]
        except OSError as error:
            raise self._damaged(error.strerror or str(error)) from None

    def on_disk(self) -> int:
        """Bytes that the file takes, which may be few of those it claims; its size where the system does not say."""
        status = os.stat(self._real)
        return getattr(status, "st_blocks", 0) * 512 or status.st_size

    def close(self) -> None:
        """Let others have the file."""
        if self._held is None:
            return
        process, generation, number = self._held
        self._held = None
        if process is not reader():  # of before a fork
            return
        process.discarded.append((generation, number))
        if process.lock.acquire(blocking=False):  # else whoever holds it closes it next time
            try:
                with suppress(Died, OSError, ValueError):  # at exit, nothing is there any more
                    _close_discarded(process)
            finally:
                process.lock.release()

    def __del__(self) -> None:
        if getattr(self, "_held", None) is not None:
            self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_held": None}

    def _look(self) -> tuple[Any, ...]:
        try:
            status = os.stat(self._real)
        except OSError as error:
            raise self._damaged(error.strerror or str(error)) from None
        return self._real, (status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns

    def _open(self, process: Process) -> tuple[int, int]:
        self._refuse_changed()
        if self._identity in process.deadly:
            raise self._damaged(process.deadly[self._identity])
        said, _ = process.ask({"do": "open", "path": self._real, "limit": self._limit})
        if "error" in said:
            raise self._damaged(said["error"])
        return process.generation, said["file"]

    def _refuse_changed(self) -> None:
        if self._look() != self._identity:
            raise SpikeFormatError(self.path, "it was changed while it was read", expected="the file as it was")

    def _damaged(self, why: str) -> SpikeFormatError:
        return SpikeFormatError(self.path, f"cannot be read: {why}", expected=self.expected)


def _close_discarded(process: Process) -> None:
    while process.discarded:
        generation, number = process.discarded.pop()
        if generation == process.generation:
            process.ask({"do": "close", "file": number, "limit": _PATIENCE})


class Group:
    """What a name in a file leads to: further names.

    Args:
        file: The file.
        name: "" for the file itself.
    """

    def __init__(self, file: File, name: str = "") -> None:
        self.file, self.name = file, name
        self.attrs = Attributes(file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __contains__(self, name: object) -> bool:
        return self.look(str(name))["kind"] in ("group", "dataset")

    def __getitem__(self, name: str) -> Group | Dataset:
        """What is called `name` ("group/data"); links are not followed.

        Raises:
            KeyError: If there is no such data set or group.
        """
        said = self.look(name)
        if said["kind"] == "group":
            return Group(self.file, self._below(name))
        if said["kind"] != "dataset":
            raise KeyError(name)
        return Dataset(self.file, self._below(name), said)

    def look(self, name: str) -> dict[str, Any]:
        """What there is under a name: its `kind` is group, dataset, type, link or nothing; see `hdf5_child`."""
        return self.file.ask("look", self._below(name))[0]

    def names(self, count: int) -> list[str]:
        """At most `count` names of what lies in it without a link."""
        found: list[str] = self.file.ask("names", self.name, count=count)[0]["names"]
        return found

    def _below(self, name: str) -> str:
        return f"{self.name}/{name}"


class Dataset:
    """One array of a file, which is read where it is sliced along its first axis.

    `shape` is None of one that has no values, `dtype` object of one whose values are no numbers.

    Args:
        file: The file.
        name: Its name from the top of the file on.
        facts: What `look` said.
    """

    def __init__(self, file: File, name: str, facts: Mapping[str, Any]) -> None:
        self.file, self.name, self.facts = file, "/" + name.strip("/"), facts
        self.attrs = Attributes(file, name)
        self.shape: tuple[int, ...] = None if facts["shape"] is None else tuple(facts["shape"])  # type: ignore[assignment]
        self.dtype = np.lib.format.descr_to_dtype(_tuples(facts["dtype"]))
        self.chunks: tuple[int, ...] | None = facts["chunks"] and tuple(facts["chunks"])
        self.holes = False
        """Whether parts that were never written are read as the value that stands for them."""

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All values."""
        return np.asarray(self[...], dtype)

    def __getitem__(self, key: Any) -> Any:
        """Values as an array; of the first axis only what is asked for is read.

        Args:
            key: A whole number, a slice with a step above 0, ..., (), or a tuple that begins with one of them.
        """
        first, *rest = key if isinstance(key, tuple) and key else (key,)
        if first is Ellipsis or first == () or not self.ndim:
            return self._all()[key]
        if isinstance(first, slice):
            start, stop, step = first.indices(len(self))
            if step < 1:
                raise ValueError("a step below 1")
            return self._rows(start, max(start, stop))[(slice(None, None, step), *rest)]
        at = range(len(self))[first]
        return self._rows(at, at + 1)[(0, *rest)]

    def survey(self) -> dict[str, Any]:
        """How many bytes are `stored`, how many chunks are `absent`, and what `damage` there is in where they lie."""
        return self.file.ask("survey", self.name)[0]

    def _all(self) -> NDArray[Any]:
        if self.ndim:
            return self._rows(0, len(self))
        return np.frombuffer(self._read()[1] or b"", self._kind()).reshape(())

    def _rows(self, start: int, stop: int) -> NDArray[Any]:
        values = np.empty((stop - start, *self.shape[1:]), self._kind())
        row = values[:1].nbytes
        if not row:
            return values
        flat = values.reshape(-1).view(np.uint8)
        if self.facts["at"] is not None:
            self.file.read_at(self.facts["at"] + start * row, memoryview(flat.data))
            return values
        step = self._step(row)
        at = start
        while at < stop:
            after = min((at // step + 1) * step, stop)  # whole chunks, which would else be unpacked twice
            said, _ = self._read(flat[(at - start) * row : (after - start) * row], start=at, stop=after)
            if "absent" in said:
                found = f"the chunk of {self.name} at {tuple(said['absent'])} was never written, or is lost"
                raise SpikeFormatError(self.file.path, found, expected=WHOLE)
            at = after
        return values

    def _step(self, row: int) -> int:
        whole = self.chunks[0] if self.chunks else 1
        return whole * max(_BLOCK // (whole * row), 1)

    def _read(self, into: Any = None, **rows: int) -> tuple[dict[str, Any], bytes | None]:
        return self.file.ask("read", self.name, into, holes=self.holes, **rows)

    def _kind(self) -> np.dtype[Any]:
        if self.dtype.hasobject:
            raise SpikeFormatError(self.file.path, f"{self.name} holds {self.dtype}", expected="numbers")
        return self.dtype


class Attributes(Mapping[str, Any]):
    """The attributes of a group or data set, read once: NumPy numbers and arrays, texts, or an `Unreadable`."""

    def __init__(self, file: File, name: str) -> None:
        self._file, self._name = file, name
        self._found: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Any]:
        if self._found is None:
            said, values = self._file.ask("attributes", self._name)
            self._found, at = {}, 0
            for name, one in said["attributes"].items():
                self._found[name] = _value(one, (values or b"")[at : at + one["bytes"]])
                at += one["bytes"]
        return self._found


def _value(said: Mapping[str, Any], values: bytes) -> Any:
    if said["kind"] == "values":
        return np.frombuffer(values, said["dtype"]).reshape(said["shape"])[()]
    return said["text"] if said["kind"] == "text" else Unreadable(said["text"])


class Unreadable(str):
    """What an attribute is whose values are no numbers and no text."""


def _tuples(described: Any) -> Any:
    """A description of a data type as NumPy made it, before it was JSON."""
    if not isinstance(described, list):
        return described
    return [
        tuple(_tuples(part) if at == 1 else part if at == 0 else tuple(part) for at, part in enumerate(field))
        for field in described
    ]
