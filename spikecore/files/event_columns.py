"""Columns of events in files of arrays: NumPy's archives and arrays, HDF5. Only names and shapes are looked at."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from zipfile import ZipFile

import attrs

_NAMES = {
    "x": {"x", "xs", "xy", "col", "cols"},
    "y": {"y", "ys", "xy", "row", "rows"},
    "t": {"t", "ts", "time", "times", "timestamp", "timestamps"},
    "p": {"p", "ps", "pol", "pols", "polarity", "polarities"},
}
_EVENTS = re.compile(r"(?:.*[_./])?(?:events?|ev|dvs)(?:[_.]|$|\d)")
_PICTURES = re.compile(r"frame|image|img|depth|flow|aps|gr[ae]y|voxel")
_MOST = 32
_DEPTH = 4
_HEADER = 1024


@attrs.frozen
class Array:
    """What the header of an array says.

    Args:
        shape: Its shape.
        fields: The names of its fields, if each value has several.
    """

    shape: tuple[int, ...]
    fields: tuple[str, ...] = ()


def columns_of(path: Path, head: bytes) -> str:
    """Where a file holds events, in words; "" if it holds none, may hold spikes beside them, or cannot be read.

    Args:
        path: The file.
        head: Its first bytes.
    """
    try:
        if head.startswith(b"\x93NUMPY"):
            with path.open("rb") as file:
                return _events({"": _described(file.read(_HEADER))})
        if head.startswith(b"PK\x03\x04"):
            return _events(dict(_archived(path)))
        if head.startswith(b"\x89HDF\r\n\x1a\n"):
            return _events(dict(islice(_in_hdf5(path), _MOST * _DEPTH)))
    except Exception:  # the boundary: damage makes parsers raise a dozen kinds; their readers say what is wrong
        return ""
    return ""


def _events(arrays: Mapping[str, Array]) -> str:
    """Arrays by name, "GROUP/NAME" of those in groups."""
    if any(len(array.shape) == 3 and not _PICTURES.search(name.lower()) for name, array in arrays.items()):
        return ""
    together: dict[str, list[str]] = defaultdict(list)
    for name, array in arrays.items():
        if array.fields and _are_columns(array.fields):
            return f"{name or 'an array'} with fields {', '.join(array.fields[:6])}"
        only = name == "" or (name == "arr_0" and len(arrays) == 1)
        if len(array.shape) == 2 and array.shape[1] in (4, 5) and (only or _EVENTS.match(name.lower())):
            return f"{name or 'an array'} of shape {array.shape}, {array.shape[1]} numbers each"
        together[name.rpartition("/")[0]].append(name)
    for names in together.values():
        if _are_columns(_EVENTS.sub("", name.rpartition("/")[2].lower()) for name in names):
            return ", ".join(names[:6])
    return ""


def _are_columns(names: Iterable[str]) -> bool:
    found = {name.lower() for name in names}
    return all(found & known for known in _NAMES.values())


def _described(header: bytes) -> Array:
    """By its text, which NumPy's own parser would evaluate."""
    sides = re.search(rb"'shape': \(([\d, ]{0,100})\)", header)
    shape = tuple(int(side) for side in sides[1].replace(b" ", b"").split(b",") if side) if sides else ()
    return Array(shape, tuple(name.decode() for name in re.findall(rb"\('([\w ]{1,40})',", header)))


def _archived(path: Path) -> Iterator[tuple[str, Array]]:
    with ZipFile(path) as archive:
        for info in archive.infolist()[:_MOST]:
            if info.filename.endswith(".npy"):
                with archive.open(info) as file:
                    yield info.filename.removesuffix(".npy"), _described(file.read(_HEADER))


def _in_hdf5(path: Path) -> Iterator[tuple[str, Array]]:
    from spikecore.files.hdf5 import open_file
    from spikecore.files.hdf5_file import Group

    with open_file(path) as file:
        groups: list[tuple[str, Group]] = [("", file)]
        for place, group in groups:  # grows: those in groups come after those beside them
            for name in group.names(_MOST):
                node, full = group[name], f"{place}{name}"
                if isinstance(node, Group):
                    if full.count("/") < _DEPTH and len(groups) < _MOST:
                        groups.append((f"{full}/", node))
                elif node.shape is not None:
                    yield full, Array(node.shape, node.dtype.names or ())
