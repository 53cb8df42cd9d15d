"""Opening HDF5 files that nobody vouches for.

HDF5 can point outside the file (external links, external storage, virtual data sets), so that reading it would show the
contents of other files; can claim any size in a few bytes; can need decoders that are not installed; and, damaged, it
can crash the library that reads it, keep it busy for ever, or give zeros for what is not found. So the library runs in
a process of its own, and what is missing is looked for.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from spikecore.errors import SpikeFormatError
from spikecore.files.hdf5_file import WHOLE, Dataset, File, Group

__all__ = [
    "Dataset",
    "File",
    "Group",
    "holds",
    "number",
    "open_dataset",
    "open_file",
    "open_group",
    "refuse_hollow",
    "shown_names",
    "text",
]

_MAX_CHUNK = 256 * 10**6
_MAX_ROW = 2**29
"""Chunks along the other axes are unpacked together, so that none is unpacked twice."""
_RATIO = 1100
"""Deflate cannot do better than 1032 to 1; more means values that were never written."""
_RATIO_COUNTS_FROM = 2**26
_FILTERS = {
    32000: "LZF",
    32001: "Blosc",
    32004: "LZ4",
    32008: "bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32026: "Blosc2",
}
_SHOWN = 10
_ITSELF = "data in the file itself"


def open_file(path: Path, expected: str = WHOLE) -> Group:
    """The file, for reading, as its top group; also where another program reads it or the disk knows no locks.

    Look at it with `boundary.file_size` first: HDF5 would wait for ever for a named pipe.

    Args:
        path: The file.
        expected: What it should be, for messages.
    """
    return Group(File(path, expected))


def open_dataset(path: Path, file: Group, name: str, expected: str, absent: str = "") -> Dataset:
    """The data set called `name` ("group/data" for one in a group), checked to lie wholly in this file.

    Whether all of it is there is for `refuse_hollow` to say, after its shape and type.

    Args:
        path: Named in messages.
        file: The open file.
        name: What to look up; links are not followed.
        expected: What the file should be, for messages.
        absent: What to do if it is not there, for messages.

    Raises:
        SpikeFormatError: If it is missing, behind a link, not a data set, stored elsewhere, in huge chunks, or packed
            by a filter that is not installed.
    """
    said = _look_up(path, file, name, "data set", expected, absent)
    if said["kind"] != "dataset":
        raise SpikeFormatError(path, f"{name!r} is a {said['kind']}", expected="a data set", hint=absent)
    if said["elsewhere"]:
        raise SpikeFormatError(path, f"{name!r} is stored in other files", expected=_ITSELF)
    if said["shape"] is None:
        raise SpikeFormatError(path, f"{name!r} is empty", expected=expected)
    dataset = Dataset(file.file, f"{file.name}/{name}", said)
    _check_chunks(path, dataset)
    _check_filters(path, dataset)
    return dataset


def open_group(path: Path, file: Group, name: str, expected: str) -> Group:
    """The group called `name`, checked to lie in this file.

    Raises:
        SpikeFormatError: If it is missing, behind a link, or no group.
    """
    if _look_up(path, file, name, "group", expected)["kind"] != "group":
        raise SpikeFormatError(path, f"{name!r} is a data set", expected="a group")
    return Group(file.file, f"{file.name}/{name}")


def holds(file: Group, *names: str) -> bool:
    """Whether all of `names` ("group/data") are there, reached without a link."""
    return all(file.look(name)["kind"] not in ("nothing", "link") for name in names)


def shown_names(group: Group) -> list[str]:
    """What a group holds without a link, at most ten names: for messages."""
    return group.names(_SHOWN)


def _look_up(path: Path, group: Group, name: str, kind: str, expected: str, absent: str = "") -> dict[str, Any]:
    said = group.look(name)
    if said["kind"] == "nothing":
        raise SpikeFormatError(path, f"no {kind} {name!r}", expected=expected, hint=absent)
    if said["kind"] == "link":
        raise SpikeFormatError(path, f"{said['at']!r} is a link to another place", expected=_ITSELF)
    return said


def _check_chunks(path: Path, dataset: Dataset) -> None:
    if dataset.chunks is None:
        return
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    if size > _MAX_CHUNK:
        hint = "write it again in smaller chunks, or with spikecore convert"
        raise SpikeFormatError(path, f"chunks of {size} bytes", expected=f"at most {_MAX_CHUNK}", hint=hint)
    row = dataset.chunks[0] * math.prod(dataset.shape[1:]) * dataset.dtype.itemsize
    if dataset.size and row > _MAX_ROW:
        hint = f"write it again with shorter chunks: h5repack -l CHUNK=16x... {path.name} NEW.h5"
        found = f"chunks that hold {dataset.chunks[0]} of {dataset.shape[0]}, which take {row} bytes"
        raise SpikeFormatError(path, found, expected=f"at most {_MAX_ROW} bytes", hint=hint)


def _check_filters(path: Path, dataset: Dataset) -> None:
    absent = dataset.facts["absent"]
    if absent:
        name = _FILTERS.get(absent[0], "unknown")
        found = f"{dataset.name} is packed with HDF5 filter {absent[0]} ({name}), which is not installed"
        raise SpikeFormatError(path, found, expected="a decoder for it", hint="try: pip install hdf5plugin")


def refuse_hollow(path: Path, dataset: Dataset, hint: str = "") -> None:
    """Refuse a data set of which parts are missing, or a large one that takes next to no space.

    HDF5 gives zeros for parts that were never written, or that damage made unreachable; with `dataset.holes` they are
    taken. Chunks that lie in one another are damage, too. What other programs wrote without checksums can be altered
    all the same without anybody noticing.

    Args:
        path: Named in messages.
        dataset: What to look at; no values are read.
        hint: How to take it with holes, for messages.
    """
    said = dataset.survey()
    claimed, stored = dataset.size * dataset.dtype.itemsize, min(said["stored"], dataset.file.on_disk())
    if claimed > max(_RATIO * stored, _RATIO_COUNTS_FROM):
        found = f"{dataset.name} claims {claimed} bytes and stores {stored}"
        raise SpikeFormatError(path, found, expected=f"at most {_RATIO} times what is stored")
    if said["damage"]:
        raise SpikeFormatError(path, f"{dataset.name} has {said['damage']}", expected=WHOLE)
    if said["absent"] and not dataset.holes:
        whole = f"{said['absent']} chunks" if dataset.chunks else "all"
        found = f"{whole} of {dataset.name} was never written, or is lost"
        raise SpikeFormatError(path, found, expected="all of its values", hint=hint)


def number(path: Path, node: Group | Dataset, name: str) -> int | float:
    """A numeric attribute of a data set or group.

    Raises:
        SpikeFormatError: If it is missing, not a single number, or not finite.
    """
    value = node.attrs.get(name)
    if not isinstance(value, np.integer | np.floating) or not np.isfinite(value):
        raise SpikeFormatError(path, f"attribute {name} is {value!r}", expected="one finite number")
    found: int | float = value.item()
    return found


def text(node: Group | Dataset, name: str) -> str | None:
    """An attribute as text, stored with a fixed length or not; None if it is missing or anything else."""
    value = node.attrs.get(name)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if type(value) is str else None
