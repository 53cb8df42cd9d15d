"""simulate/event-file: events of one camera in plain HDF5, read where they are looked at; and their writer.

`/events/x` and `y` (written as int16), `t` (int64, microseconds, sorted) and `p` (uint8, 1 where brightness rose);
attributes `height` and `width` of the group `/events`, or of the file. Polarities of -1 and 1 are read as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikecore import EventStream, Sample, SpikeFormatError
from spikecore.files.atomic import atomic
from spikecore.files.boundary import file_size, refusing
from spikecore.files.hdf5 import open_dataset, open_file, open_group, refuse_hollow
from spikecore.files.recording_source import OneRecording

if TYPE_CHECKING:
    from spikecore_plugin_simulate.config import EventFileConfig

EXPECTED = "events in HDF5: /events/x, y, t and p"

_COLUMNS = {"x": np.int16, "y": np.int16, "t": np.int64, "p": np.bool_}
_STORED = {"x": np.int16, "y": np.int16, "t": np.int64, "p": np.uint8}
_BLOCK = 2**20
_CHUNK = 2**14
"""Small, so that finding a time reads little."""


class Column:
    """One array of an event file; behaves like a data set, but can be sent to other processes.

    The file is opened on first use and kept open, each process with a handle of its own.

    Args:
        path: The file.
        name: x, y, t or p.
        length: Number of events.
    """

    def __init__(self, path: Path, name: str, length: int) -> None:
        self.path, self.name, self.length = path, name, length
        self._held: tuple[int, h5py.Dataset] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_held": None}

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: slice | int) -> Any:
        with refusing(self.path, EXPECTED):
            values = self._dataset()[key]
        return self._converted(np.asarray(values))[()]

    def _dataset(self) -> h5py.Dataset:
        if self._held is None or self._held[0] != os.getpid():
            self._held = (os.getpid(), open_column(self.path, open_file(self.path), self.name))
        return self._held[1]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All values."""
        return np.asarray(self[:], dtype)

    def _converted(self, values: NDArray[Any]) -> NDArray[Any]:
        if self.name == "p":
            return values > 0
        kind = _COLUMNS[self.name]
        bounds = np.iinfo(kind)
        if values.size and (values.min() < bounds.min or values.max() > bounds.max):
            found = f"/events/{self.name} holds {values.min()}..{values.max()}"
            raise SpikeFormatError(self.path, found, expected=f"{bounds.min}..{bounds.max}")
        return values.astype(kind)


class EventFile(OneRecording):
    """One event file: a source of one sample whose arrays are read when they are asked for.

    Raises:
        SpikeFormatError: If it is no such file, could be harmful to read, or its times are not sorted.
    """

    def __init__(self, config: EventFileConfig) -> None:
        super().__init__(config.path)
        self.config = config
        file_size(config.path, EXPECTED)
        with refusing(config.path, EXPECTED), open_file(config.path) as file:
            lengths = {name: len(open_column(config.path, file, name)) for name in _COLUMNS}
            self._size = (self._side(file, "height"), self._side(file, "width"))
        if len(set(lengths.values())) != 1:
            raise SpikeFormatError(config.path, f"columns of {lengths} values", expected="as many of each")
        self._length = lengths["t"]

    def read(self) -> Sample:
        """The events, whose arrays read what is asked of them."""
        path = self.path
        columns = {name: Column(path, name, self._length) for name in _COLUMNS}
        if self.config.check:
            _refuse_unsorted(columns["t"])
        stream = EventStream(**columns, height=self._size[0], width=self._size[1], name=str(path))
        cameras: Any = (stream,)
        return Sample(key=path.name.partition(".")[0] or path.name, events=cameras)

    def _side(self, file: h5py.File, name: str) -> int:
        """Rows or columns: the option, else the attribute."""
        path, said = self.config.path, getattr(self.config, name)
        if said is not None:
            return int(said)
        value = open_group(path, file, "events", EXPECTED).attrs.get(name, file.attrs.get(name))
        if not isinstance(value, np.integer) or not 0 < value < 2**15:
            hint = "state the sensor: height=180, width=240 (--height 180 --width 240)"
            raise SpikeFormatError(path, f"attribute {name} is {value!r}", expected="a whole number above 0", hint=hint)
        return int(value)


def open_column(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    """The data set /events/NAME: one row of whole numbers, wholly in this file.

    Raises:
        SpikeFormatError: If it is anything else, or could be harmful to read.
    """
    open_group(path, file, "events", EXPECTED)
    dataset = open_dataset(path, file, f"events/{name}", EXPECTED)
    if dataset.ndim != 1 or dataset.dtype.kind not in "iub":
        found = f"{dataset.name} holds {dataset.dtype} of shape {dataset.shape}"
        raise SpikeFormatError(path, found, expected="one row of whole numbers")
    if dataset.dtype == np.uint64:
        raise SpikeFormatError(
            path, f"{dataset.name} holds uint64", expected="numbers that fit into 64 bits with a sign"
        )
    refuse_hollow(path, dataset)
    return dataset


def write_events(stream: EventStream, path: Path) -> Path:
    """Write events as plain HDF5, compressed (gzip 4) and with checksums, atomically."""
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        group = file.create_group("events")
        group.attrs["height"], group.attrs["width"] = np.int32(stream.height), np.int32(stream.width)
        for name, kind in _STORED.items():
            values = np.asarray(getattr(stream, name)).astype(kind)
            chunk = (min(max(len(values), 1), _CHUNK),)
            group.create_dataset(name, data=values, chunks=chunk, maxshape=(None,), compression=4, fletcher32=True)
    return path


def _refuse_unsorted(times: Column) -> None:
    last: int | None = None
    for start in range(0, len(times), _BLOCK):
        block = times[start : start + _BLOCK]
        if (np.diff(block) < 0).any() or (last is not None and block[0] < last):
            hint = "sort the events by t and write the file again"
            raise SpikeFormatError(times.path, "times that are not sorted", expected="t not decreasing", hint=hint)
        last = int(block[-1])
