"""Opening HDF5 files that nobody vouches for.

HDF5 can point outside the file (external links, external storage, virtual data sets), so that reading it would show the
contents of other files; can claim any size in a few bytes; and can need decoders that are not installed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import h5py
import numpy as np

from spikecore.errors import SpikeFormatError

_MAX_CHUNK = 256 * 10**6
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


def open_file(path: Path) -> h5py.File:
    """The file, for reading; also where another program has it open or the disk knows no locks.

    Look at it with `boundary.file_size` first: HDF5 would wait for ever for a named pipe.
    """
    return h5py.File(path, "r", locking="best-effort")


def open_dataset(path: Path, file: h5py.Group, name: str, expected: str, absent: str = "") -> h5py.Dataset:
    """The data set called `name` ("group/data" for one in a group), checked to lie wholly in this file.

    Whether it is hollow is for `refuse_hollow` to say, after its shape and type.

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
    node = _look_up(path, file, name, "data set", expected, absent)
    if not isinstance(node, h5py.Dataset):
        raise SpikeFormatError(path, f"{name!r} is a group", expected="a data set", hint=absent)
    if node.external or node.is_virtual:
        raise SpikeFormatError(path, f"{name!r} is stored in other files", expected=_ITSELF)
    if node.shape is None:
        raise SpikeFormatError(path, f"{name!r} is empty", expected=expected)
    _check_chunks(path, node)
    _check_filters(path, node)
    return node


def open_group(path: Path, file: h5py.Group, name: str, expected: str) -> h5py.Group:
    """The group called `name`, checked to lie in this file.

    Raises:
        SpikeFormatError: If it is missing, behind a link, or no group.
    """
    node = _look_up(path, file, name, "group", expected)
    if not isinstance(node, h5py.Group):
        raise SpikeFormatError(path, f"{name!r} is a data set", expected="a group")
    return node


def holds(file: h5py.Group, *names: str) -> bool:
    """Whether all of `names` ("group/data") are there, reached without a link."""
    try:
        for name in names:
            _look_up(Path(), file, name, "", "")
    except SpikeFormatError:
        return False
    return True


def shown_names(group: h5py.Group) -> list[str]:
    """What a group holds without a link, at most ten names: for messages."""
    links = ((name, group.get(name, getlink=True)) for name in islice(group.keys(), 10 * _SHOWN))
    return [name for name, link in links if isinstance(link, h5py.HardLink)][:_SHOWN]


def _look_up(
    path: Path, group: h5py.Group, name: str, kind: str, expected: str, absent: str = ""
) -> h5py.Group | h5py.Dataset | h5py.Datatype:
    node = group
    for part in (part for part in name.split("/") if part):
        if not isinstance(node, h5py.Group) or part not in node.keys():  # noqa: SIM118  # `in node` follows links
            raise SpikeFormatError(path, f"no {kind} {name!r}", expected=expected, hint=absent)
        if not isinstance(node.get(part, getlink=True), h5py.HardLink):
            raise SpikeFormatError(path, f"{part!r} is a link to another place", expected=_ITSELF)
        node = node[part]
    return node


def _check_chunks(path: Path, dataset: h5py.Dataset) -> None:
    if dataset.chunks is None:
        return
    size = int(np.prod(dataset.chunks, dtype=object)) * dataset.dtype.itemsize
    if size > _MAX_CHUNK:
        hint = "write it again in smaller chunks, or with spikecore convert"
        raise SpikeFormatError(path, f"chunks of {size} bytes", expected=f"at most {_MAX_CHUNK}", hint=hint)


def _check_filters(path: Path, dataset: h5py.Dataset) -> None:
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    if any(not h5py.h5z.filter_avail(code) for code in codes) and find_spec("hdf5plugin"):
        import_module("hdf5plugin")  # registers its decoders
    absent = [code for code in codes if not h5py.h5z.filter_avail(code)]
    if absent:
        name = _FILTERS.get(absent[0], "unknown")
        found = f"{dataset.name} is packed with HDF5 filter {absent[0]} ({name}), which is not installed"
        raise SpikeFormatError(path, found, expected="a decoder for it", hint="try: pip install hdf5plugin")


def refuse_hollow(path: Path, dataset: h5py.Dataset) -> None:
    """Refuse a large data set that takes next to no space: values that were never written, or a bomb."""
    claimed, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if claimed > max(_RATIO * stored, _RATIO_COUNTS_FROM):
        found = f"{dataset.name} claims {claimed} bytes and stores {stored}"
        raise SpikeFormatError(path, found, expected=f"at most {_RATIO} times what is stored")


def number(path: Path, node: h5py.Group | h5py.Dataset, name: str) -> int | float:
    """A numeric attribute of a data set or group.

    Raises:
        SpikeFormatError: If it is missing, not a single number, or not finite.
    """
    value = node.attrs.get(name)
    if not isinstance(value, np.integer | np.floating) or not np.isfinite(value):
        raise SpikeFormatError(path, f"attribute {name} is {value!r}", expected="one finite number")
    found: int | float = value.item()
    return found
