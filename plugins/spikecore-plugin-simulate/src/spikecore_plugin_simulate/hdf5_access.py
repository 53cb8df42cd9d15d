"""Opening a data set of an HDF5 file that nobody vouches for.

HDF5 can point outside the file (external links, external storage, virtual data sets), so that reading it would show the
contents of other files; can claim any size in a few bytes; and can need decoders that are not installed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikecore import SpikeFormatError

EXPECTED = "events in HDF5: /events/x, y, t and p"

_MAX_CHUNK = 256 * 10**6
_RATIO = 1100
"""Deflate cannot do better than 1032 to 1; more means values that were never written."""
_RATIO_COUNTS_FROM = 2**26


def open_column(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    """The data set /events/NAME, checked to lie wholly in this file.

    Raises:
        SpikeFormatError: If it is missing, behind a link, not one row of numbers, stored elsewhere, in huge chunks,
            hollow, or packed by a filter that is not installed.
    """
    dataset = _inside(path, open_group(path, file), name)
    where = f"/events/{name}"
    if not isinstance(dataset, h5py.Dataset):
        raise SpikeFormatError(path, f"{where} is a group", expected=EXPECTED)
    if dataset.external or dataset.is_virtual:
        raise SpikeFormatError(path, f"{where} is stored in other files", expected="data in the file itself")
    if dataset.shape is None or dataset.ndim != 1 or dataset.dtype.kind not in "iub":
        found = f"{where} holds {dataset.dtype} of shape {dataset.shape}"
        raise SpikeFormatError(path, found, expected="one row of whole numbers")
    if dataset.dtype == np.uint64:
        raise SpikeFormatError(path, f"{where} holds uint64", expected="numbers that fit into 64 bits with a sign")
    _check_storage(path, dataset)
    return dataset


def open_group(path: Path, file: h5py.File) -> h5py.Group:
    """The group /events."""
    group = _inside(path, file, "events")
    if not isinstance(group, h5py.Group):
        raise SpikeFormatError(path, "/events is no group", expected=EXPECTED)
    return group


def _inside(path: Path, group: h5py.Group, name: str) -> Any:
    if name not in group.keys():  # noqa: SIM118  # `in group` follows links
        raise SpikeFormatError(path, f"no {name!r} in {group.name}", expected=EXPECTED)
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise SpikeFormatError(path, f"{name!r} is a link to another place", expected="data in the file itself")
    return group[name]


def _check_storage(path: Path, dataset: h5py.Dataset) -> None:
    if dataset.chunks is not None:
        size = int(np.prod(dataset.chunks, dtype=object)) * dataset.dtype.itemsize
        if size > _MAX_CHUNK:
            raise SpikeFormatError(path, f"chunks of {size} bytes", expected=f"at most {_MAX_CHUNK}")
    claimed, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if claimed > max(_RATIO * stored, _RATIO_COUNTS_FROM):
        found = f"{dataset.name} claims {claimed} bytes and stores {stored}"
        raise SpikeFormatError(path, found, expected=f"at most {_RATIO} times what is stored")
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    if any(not h5py.h5z.filter_avail(code) for code in codes) and find_spec("hdf5plugin"):
        import_module("hdf5plugin")  # registers its decoders
    absent = [code for code in codes if not h5py.h5z.filter_avail(code)]
    if absent:
        found = f"{dataset.name} is packed with HDF5 filter {absent[0]}, which is not installed"
        raise SpikeFormatError(path, found, expected="a decoder for it", hint="try: pip install hdf5plugin")
