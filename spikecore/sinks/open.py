"""The sink for a file name: pictures, videos, arrays or tables, as the kind of result allows.

A sink that is interrupted keeps what was finished under "NAME.partial.SUFFIX"; nothing incomplete has the final name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from spikecore.data.kinds import Data
from spikecore.errors import UsageError
from spikecore.plugin.host import PluginHost
from spikecore.plugin.sink import Picture, Sink, Target
from spikecore.sinks.arrays import Hdf5, Npy
from spikecore.sinks.depth import DepthPictures
from spikecore.sinks.png import PngFile, PngFolder
from spikecore.sinks.tables import Csv, Json
from spikecore.sinks.video import CvVideo, Mp4

Opener: TypeAlias = Callable[[Target], Sink]


def _one_png(target: Target) -> Sink:
    if target.count != 1:
        raise UsageError(
            f"{target.path}: one PNG file cannot hold {target.count} images; "
            "give a folder, a video, or one instant (--at)"
        )
    return PngFile(target)


def _webm(target: Target) -> Sink:
    return CvVideo(target, "VP80")


def _avi(target: Target) -> Sink:
    return CvVideo(target, "XVID")


_PICTURES: Mapping[str, Opener] = {"": PngFolder, ".png": _one_png, ".mp4": Mp4, ".webm": _webm, ".avi": _avi}
_ARRAYS: Mapping[str, Opener] = {".npy": Npy, ".h5": Hdf5, ".hdf5": Hdf5}
_TABLES: Mapping[str, Opener] = {".csv": Csv, ".json": Json}


def openers(kind: Data, *, raw: bool = False) -> dict[str, Opener]:
    """What opens the core's own sinks for a kind of result, by suffix; "" is a folder of PNG files.

    Args:
        kind: The kind of result.
        raw: True for intensities that are not clipped to [0, 1].
    """
    if kind in (Data.IMAGE, Data.VIDEO) and not raw:
        return {**_PICTURES, **_ARRAYS}
    if kind is Data.DEPTH:
        return {**{suffix: partial(DepthPictures, opener) for suffix, opener in _PICTURES.items()}, **_ARRAYS}
    if kind is Data.LABEL:
        return {**_TABLES, **_ARRAYS}
    return dict(_ARRAYS)


def open_sink(host: PluginHost | None, target: Target, kind: Data = Data.IMAGE, *, raw: bool = False) -> Sink:
    """The sink for a file name: a plugin's, where one offers it, else the core's own.

    Args:
        host: Whose plugins are asked first.
        target: The file and what will come.
        kind: The kind of result.
        raw: True for intensities that are not clipped to [0, 1]: only NPY and HDF5 take those.

    Raises:
        UsageError: If the suffix is unknown or does not take such results.
        OutputError: If it cannot be written there, or the encoder is not installed.
    """
    offered: Sink | None = None if host is None else host.hook.spikecore_sink(target=target, kind=kind)
    if offered is not None:
        return offered
    known = openers(kind, raw=raw)
    suffix = target.path.suffix.lower()
    if suffix not in known:
        raise UsageError(f"{target.path}: {_reason(suffix, kind, raw)} can be written to {_listed(known)}")
    return known[suffix](target)


def _reason(suffix: str, kind: Data, raw: bool) -> str:
    """Why not, and the beginning of what can be done instead."""
    what = "raw intensities" if raw else f"results of kind {kind}"
    if suffix not in _PICTURES:
        return f"cannot write {suffix} files; {what}"
    yet = ", and none are made of them yet" if kind is Data.FLOW else ""
    return f"{what} are no pictures{yet}; they"


def _listed(known: Mapping[str, Opener]) -> str:
    files = ", ".join(suffix for suffix in known if suffix)
    return files + (", or a folder of PNG files" if "" in known else "")


def write_picture(picture: Picture, path: Path, host: PluginHost | None = None) -> Path:
    """Write one picture (H, W) or (H, W, 3) in [0, 1] in the format of its file name, atomically."""
    sink = open_sink(host, Target(path, 1))
    sink.write(0, picture)
    return sink.commit()
