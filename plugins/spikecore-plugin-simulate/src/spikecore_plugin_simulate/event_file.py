"""simulate/event-file: events of one camera in plain HDF5, read where they are looked at; and their writer.

`/events/x` and `y` (written as int16), `t` (int64, microseconds, sorted) and `p` (uint8, 1 where brightness rose);
attributes `height` and `width` of the group `/events`, or of the file. Polarities of -1 and 1 are read as well, and
what `/t_offset` (DSEC) states is added to the times.

Ours have checksums: `sha256` of each column, and `digest`, sha256 of them with `format`, `version`, `height` and
`width` as JSON in the order of the names. They are compared where the source checks, and where a column is read whole.
What other programs wrote has none, unless its chunks have: damage of its values is not noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikecore import EventStream, Sample, SpikeFormatError, UsageError
from spikecore.files.atomic import atomic
from spikecore.files.boundary import file_size, refusing
from spikecore.files.hdf5 import Dataset, Group, holds, open_dataset, open_file, open_group, refuse_hollow, text
from spikecore.files.hdf5_writer import Writer
from spikecore.files.recording_source import OneRecording

if TYPE_CHECKING:
    from spikecore_plugin_simulate.config import EventFileConfig

FORMAT = "spikecore events"
VERSION = 1
EXPECTED = "events in HDF5: /events/x, y, t and p"

_COLUMNS = {"x": np.int16, "y": np.int16, "t": np.int64, "p": np.bool_}
_STORED = {"x": np.int16, "y": np.int16, "t": np.int64, "p": np.uint8}
_CHUNK = 2**14
"""Small, so that finding a time reads little."""
_BLOCK = 2**20


class Column:
    """One array of an event file; behaves like a data set, but can be sent to other processes.

    The file is opened on first use and kept open.

    Args:
        path: The file.
        name: x, y, t or p.
        length: Number of events.
        offset: What is added to every value.
        sha256: Of all values as they are stored, if known.
    """

    def __init__(self, path: Path, name: str, length: int, offset: int = 0, sha256: str | None = None) -> None:
        self.path, self.name, self.length, self.offset, self.sha256 = path, name, length, offset, sha256
        self._held: Dataset | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_held": None}

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: slice | int) -> Any:
        with refusing(self.path, EXPECTED):
            values = self._dataset()[key]
            if self.sha256 and isinstance(key, slice) and key.indices(self.length) == (0, self.length, 1):
                self._compare(hashlib.sha256(values.data).hexdigest())
        return self._converted(np.asarray(values))[()]

    def verify(self) -> None:
        """Read all of it once, in blocks, and compare it with its checksum, if there is one."""
        if self.sha256:
            dataset, found = self._dataset(), hashlib.sha256()
            for start in range(0, self.length, _BLOCK):
                found.update(dataset[start : start + _BLOCK].data)
            self._compare(found.hexdigest())

    def _compare(self, found: str) -> None:
        if found != self.sha256:
            expected = f"sha256 {self.sha256}: the file was altered"
            raise SpikeFormatError(self.path, f"/events/{self.name} with sha256 {found}", expected=expected)

    def _dataset(self) -> Dataset:
        if self._held is None:
            self._held = open_column(self.path, open_file(self.path, EXPECTED), self.name)
        return self._held

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All values."""
        return np.asarray(self[:], dtype)

    def _converted(self, values: NDArray[Any]) -> NDArray[Any]:
        if not values.size:
            return values.astype(_COLUMNS[self.name])
        low, high = int(values.min()), int(values.max())
        if self.name == "p":
            if low < -1 or high > 1 or (low == -1 and (values == 0).any()):
                found = f"polarities {', '.join(map(str, np.unique(values)[:4]))} in /events/p"
                hint = "write the file again with p = 1 where brightness rose, else 0"
                raise SpikeFormatError(self.path, found, expected="0 and 1, or -1 and 1", hint=hint)
            return np.asarray(values > 0)
        kind = _COLUMNS[self.name]
        bounds = np.iinfo(kind)
        if low + self.offset < bounds.min or high + self.offset > bounds.max:
            found = f"/events/{self.name} holds {low}..{high}" + (f" and {self.offset} more" if self.offset else "")
            raise SpikeFormatError(self.path, found, expected=f"{bounds.min}..{bounds.max}")
        return np.asarray(values.astype(kind) + kind(self.offset))


class EventFile(OneRecording):
    """One event file: a source of one sample whose arrays are read when they are asked for.

    Raises:
        SpikeFormatError: If it is no such file, could be harmful to read, or its times are not sorted.
    """

    def __init__(self, config: EventFileConfig) -> None:
        super().__init__(config.path)
        self.config = config
        file_size(config.path, EXPECTED)
        with refusing(config.path, EXPECTED), open_file(config.path, EXPECTED) as file:
            lengths = {name: len(open_column(config.path, file, name)) for name in _COLUMNS}
            self._size = (self._side(file, "height"), self._side(file, "width"))
            self._offset = _time_offset(config.path, file)
            self._sums = _checksums(config.path, open_group(config.path, file, "events", EXPECTED))
        if len(set(lengths.values())) != 1:
            raise SpikeFormatError(config.path, f"columns of {lengths} values", expected="as many of each")
        self._length = lengths["t"]

    def read(self) -> Sample:
        """The events, whose arrays read what is asked of them."""
        path = self.path
        columns = {name: self._column(name) for name in _COLUMNS}
        stream = EventStream(**columns, height=self._size[0], width=self._size[1], name=str(path))
        if self.config.check:
            for column in columns.values():
                column.verify()
            try:
                stream.check()
            except UsageError as error:
                found, _, hint = str(error).removeprefix(f"{path}: ").partition("\n  ")
                raise SpikeFormatError(path, found, hint=hint) from None
        cameras: Any = (stream,)
        return Sample(key=path.name.partition(".")[0] or path.name, events=cameras)

    def _column(self, name: str) -> Column:
        return Column(self.path, name, self._length, self._offset * (name == "t"), self._sums.get(name))

    def _side(self, file: Group, name: str) -> int:
        """Rows or columns: the option, else the attribute."""
        path, said = self.config.path, getattr(self.config, name)
        if said is not None:
            return int(said)
        value = open_group(path, file, "events", EXPECTED).attrs.get(name, file.attrs.get(name))
        if not isinstance(value, np.integer) or not 0 < value <= 2**15:
            hint = "state the sensor: height=180, width=240 (--height 180 --width 240)"
            raise SpikeFormatError(path, f"attribute {name} is {value!r}", expected="a whole number above 0", hint=hint)
        return int(value)


def _time_offset(path: Path, file: Group) -> int:
    """Microseconds to add to all times: DSEC keeps times of 32 bits and where they begin."""
    if not holds(file, "t_offset"):
        return 0
    dataset = open_dataset(path, file, "t_offset", EXPECTED)
    if dataset.size != 1 or dataset.dtype.kind not in "iu":
        found = f"t_offset is {dataset.dtype} of shape {dataset.shape}"
        raise SpikeFormatError(path, found, expected="one whole number of microseconds")
    offset = int(np.asarray(dataset[()]).item())
    if abs(offset) >= 2**62:
        raise SpikeFormatError(path, f"t_offset is {offset}", expected="microseconds of fewer than 63 bits")
    return offset


def _checksums(path: Path, events: Group) -> dict[str, str]:
    """The checksums of our columns, themselves compared with the digest; none of what other programs wrote."""
    if text(events, "format") != FORMAT and "digest" not in events.attrs:
        return {}
    sums = {name: text(events[name], "sha256") for name in _COLUMNS}
    facts: dict[str, Any] = {name: events.attrs.get(name) for name in ("version", "height", "width")}
    facts = {name: value.item() if isinstance(value, np.number) else str(value) for name, value in facts.items()}
    stated = text(events, "digest")
    if stated != _digest({**facts, **sums, "format": text(events, "format")}):
        raise SpikeFormatError(path, f"/events with {facts}", expected=f"digest {stated}: the file was altered")
    return {name: found for name, found in sums.items() if found}


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()


def open_column(path: Path, file: Group, name: str) -> Dataset:
    """The data set /events/NAME: one row of whole numbers, wholly in this file.

    Raises:
        SpikeFormatError: If it is anything else, or could be harmful to read.
    """
    open_group(path, file, "events", EXPECTED)
    dataset = open_dataset(path, file, f"events/{name}", EXPECTED)
    if dataset.ndim != 1 or dataset.dtype.kind not in "iub":
        found = f"{dataset.name} holds {dataset.dtype} of shape {dataset.shape}"
        hint = "seconds? write (t * 1e6).round().astype('int64')" if (name, dataset.dtype.kind) == ("t", "f") else ""
        raise SpikeFormatError(path, found, expected="one row of whole numbers", hint=hint)
    if dataset.dtype == np.uint64:
        raise SpikeFormatError(
            path, f"{dataset.name} holds uint64", expected="numbers that fit into 64 bits with a sign"
        )
    refuse_hollow(path, dataset)
    return dataset


def write_events(stream: EventStream, path: Path) -> Path:
    """Write events as plain HDF5, compressed (gzip 4) and with checksums, atomically."""
    size = {"height": int(stream.height), "width": int(stream.width)}
    facts: dict[str, str | int | float] = {"format": FORMAT, "version": VERSION, **size}
    sums = {}
    with atomic(path) as temporary, Writer(temporary) as file:
        file.group("events")
        for name, kind in _STORED.items():
            values = np.asarray(getattr(stream, name)).astype(kind)
            sums[name] = hashlib.sha256(values.data).hexdigest()
            column = f"events/{name}"
            file.dataset(column, kind, values.shape, (min(max(len(values), 1), _CHUNK),), grows=True)
            file.write(column, 0, values)
            file.describe(column, {"sha256": sums[name]}, fixed=True)
        file.describe("events", {**facts, "digest": _digest({**facts, **sums})}, fixed=True)
    return path
