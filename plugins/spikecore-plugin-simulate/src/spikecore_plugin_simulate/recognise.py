"""How surely a file is one that this plugin reads, where its name fits other sources too. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

_SURELY, _LIKELY, _HARDLY = 1.0, 0.7, 0.1
_COLUMNS = ("events/x", "events/y", "events/t", "events/p")


def recognise_events(path: Path, head: bytes) -> float:
    """By the columns of events, and the size of the sensor, which files of other programs often keep elsewhere.

    Of a damaged file called NAME.events.h5 the reader of events says best what is wrong with it.

    Args:
        path: The file.
        head: Its first bytes.
    """
    from spikecore.files.hdf5 import holds, open_file

    try:
        with open_file(path) as file:
            if not holds(file, *_COLUMNS):
                return 0.0
            said = {*file.attrs, *file["events"].attrs}
            return _SURELY if said >= {"height", "width"} else _LIKELY
    except Exception:  # the boundary: damage makes HDF5 raise a dozen kinds
        return _HARDLY if ".events." in path.name.lower() else 0.0
