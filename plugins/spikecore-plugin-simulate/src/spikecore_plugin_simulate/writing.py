"""Simulated recordings as files, with their ground truth beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spikecore import OutputError, Sample, UsageError
from spikecore.files.atomic import aside, write_text
from spikecore.files.pictures import write_truth
from spikecore.files.recordings import find_writer, write_stream
from spikecore_plugin_simulate.event_file import write_events

if TYPE_CHECKING:
    from spikecore import PluginHost, SpikeSource

_EVENTS = (".h5", ".hdf5")


def check_recording_name(host: PluginHost, path: Path) -> None:
    """Refuse before anything is simulated what could not be written."""
    find_writer(host, path)
    aside(path)


def check_events_name(path: Path, folder: bool) -> None:
    """As `check_recording_name`, for events.

    Raises:
        UsageError: If the name is not that of an HDF5 file.
    """
    if folder:
        return
    if path.suffix.lower() not in _EVENTS:
        raise UsageError(f"{path}: events are written as HDF5; give a name such as {path.stem}.events.h5")
    aside(path)


def write_recording(host: PluginHost, sample: Sample, path: Path) -> Iterator[Path]:
    """Write a recording and the picture of its middle frame, NAME.gt.png; a `.dat`'s side-car names the picture."""
    assert sample.spikes is not None  # the sources make spikes
    picture = path.with_name(f"{path.stem}.gt.png")
    write_truth(sample.target["image"][0], picture)
    yield picture
    write_stream(host, sample.spikes, path, None, {})
    sidecar = path.with_name(f"{path.name}.toml")
    if path.suffix.lower() == ".dat" and sidecar.is_file():
        described = sidecar.read_text(encoding="utf-8")
        write_text(sidecar, f'{described}image = "{picture.name}"\nat = {sample.instant}\n')
    yield path


def write_data_set(host: PluginHost, samples: SpikeSource, root: Path) -> Iterator[Path]:
    """Write spike/00000.dat and gt/00000.png, …; the pictures belong to the middle frames, length // 2.

    Raises:
        UsageError: If the folder holds recordings already.
        OutputError: If it cannot be written to, or nothing installed writes `.dat`.
    """
    find_writer(host, root / "clip.dat")
    recordings, pictures = _new_folder(root / "spike"), _new_folder(root / "gt")
    for index in range(len(samples)):
        sample = samples[index]
        assert sample.spikes is not None  # the sources make spikes
        write_truth(sample.target["image"][0], pictures / f"{index:05d}.png")
        yield write_stream(host, sample.spikes, recordings / f"{index:05d}.dat", None, {})


def write_event_files(samples: SpikeSource, path: Path, folder: bool) -> Iterator[Path]:
    """Write the events of one recording to `path`, or those of all to 00000.events.h5, … in the folder `path`."""
    if not folder:
        yield write_events(samples[0].events[0], path)
        return
    _new_folder(path)
    for index in range(len(samples)):
        yield write_events(samples[index].events[0], path / f"{index:05d}.events.h5")


def _new_folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
        held = next(path.iterdir(), None)
    except OSError as error:
        raise OutputError(f"{path} could not be made: {error.strerror or error}") from None
    if held is not None:
        raise UsageError(f"{path} holds {held.name} already; give a new folder")
    return path
