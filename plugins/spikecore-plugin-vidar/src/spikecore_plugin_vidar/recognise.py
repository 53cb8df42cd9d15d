"""How surely a file is a recording that this plugin reads, where its name fits others too. Imports nothing heavy.

Each function takes a path and the first bytes of the file, and gives 0 (another's) to 1 (surely ours). The readers of
`.npz` and HDF5 read arrays of any name (`key`), and say best what is wrong with a damaged file; so they give a little
for everything that is not surely another's.
"""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from zipfile import ZipFile

NPZ_KINDS = {
    "uhsr": frozenset({"spk", "label", "label_name"}),
    "spikling": frozenset({"seq", "tag", "length"}),
    "packed": frozenset({"packed", "height", "width", "length", "rate"}),
}
"""Names of the arrays by which the kinds of `.npz` recordings are known."""
HDF5_DATASET = "spikes"
"""The data set of our own HDF5 format."""

_SURELY, _LIKELY, _POSSIBLY, _HARDLY = 1.0, 0.7, 0.5, 0.1
_NPY_SHAPE = re.compile(rb"'shape': \((\d+, \d+, \d+)\)")
_RECORDINGS = (".dat", ".raw", ".bin", ".npz", ".npy", ".h5", ".hdf5", ".mat")
_LOOKED_AT = 100


def recognise_dat(path: Path, head: bytes) -> float:
    """Raw recordings have no header, so anything may be one that is not known to be something else."""
    from spikecore.files.foreign import identify

    return 0.0 if identify(path) else _POSSIBLY


def recognise_npz(path: Path, head: bytes) -> float:
    """By the names of the arrays."""
    try:
        with ZipFile(path) as file:
            names = {name.removesuffix(".npy") for name in file.namelist()}
    except Exception:  # the boundary: damage makes parsers raise a dozen kinds
        return _HARDLY
    return _SURELY if any(wanted <= names for wanted in NPZ_KINDS.values()) else _HARDLY


def recognise_npy(path: Path, head: bytes) -> float:
    """By the number of dimensions in the header: spikes have three."""
    if not head.startswith(b"\x93NUMPY"):
        return _HARDLY
    return _LIKELY if _NPY_SHAPE.search(head) else 0.0


def recognise_hdf5(path: Path, head: bytes) -> float:
    """By the data set `spikes` and its mark; a file of events is another's."""
    from spikecore.files.hdf5 import holds, open_file

    try:
        with open_file(path) as file:
            if holds(file, HDF5_DATASET):
                return _SURELY if "format" in file[HDF5_DATASET].attrs else _LIKELY
            return 0.0 if holds(file, "events/t") else _HARDLY
    except Exception:  # the boundary: damage makes HDF5 raise a dozen kinds
        return _HARDLY


def recognise_folder(path: Path, head: bytes) -> float:
    """By a sub-folder of recordings, or recordings in the folder itself."""
    if (path / "spike").is_dir():
        return _LIKELY
    with os.scandir(path) as entries:
        some = [entry.name.lower() for entry in islice(entries, _LOOKED_AT)]
    return _POSSIBLY if any(name.endswith(_RECORDINGS) for name in some) else _HARDLY
