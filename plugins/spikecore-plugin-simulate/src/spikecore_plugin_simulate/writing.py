"""Simulated recordings as files, with their ground truth beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikecore import Interrupted, Sample, UsageError
from spikecore.files.atomic import aside, behind
from spikecore.files.pictures import write_truth
from spikecore.files.recordings import find_writer, writing
from spikecore_plugin_simulate.event_file import write_events
from spikecore_plugin_simulate.unfinished import unfinished

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
    picture = _write(host, sample, path, behind(path).with_name(f"{path.stem}.gt.png"), described=True)
    yield picture
    yield path


def _write(host: PluginHost, sample: Sample, path: Path, picture: Path, described: bool = False) -> Path:
    """Write a recording and its picture, both or none; `described` in the side-car, where there is one."""
    assert sample.spikes is not None  # the sources make spikes
    with writing(host, sample.spikes, path) as files:
        for final, temporary in files.items():
            if described and final.suffix == ".toml":
                with temporary.open("a", encoding="utf-8") as sidecar:
                    sidecar.write(f'image = "{picture.name}"\nat = {sample.instant}\n')
        files[picture] = aside(picture)
        write_truth(sample.target["image"][0], files[picture])
    return picture


def write_data_set(host: PluginHost, samples: SpikeSource, root: Path, made: Mapping[str, Any]) -> Iterator[Path]:
    """Write spike/00000.dat and gt/00000.png, …; the pictures belong to the middle frames, length // 2.

    A run that was stopped or killed goes on: clips that are complete stay.

    Args:
        host: Whose writers are used.
        samples: The clips; each depends on its number and on `made` alone.
        root: The folder.
        made: Plain values that say how they are made.

    Raises:
        UsageError: If the folder holds recordings already, or is in use.
        OutputError: If it cannot be written to, or nothing installed writes `.dat`.
        Interrupted: On Ctrl-C, saying how many are complete.
    """
    find_writer(host, root / "clip.dat")
    recordings, pictures = root / "spike", root / "gt"
    with unfinished(root, made, [recordings, pictures]), _counted(samples) as numbers:
        for index in numbers:
            path, picture = recordings / f"{index:05d}.dat", pictures / f"{index:05d}.png"
            if not all(file.is_file() for file in (path, path.with_name(f"{path.name}.toml"), picture)):
                _write(host, samples[index], path, picture)
            yield path


def write_event_files(samples: SpikeSource, path: Path, made: Mapping[str, Any] | None = None) -> Iterator[Path]:
    """Write the events of one recording to `path`; with `made`, those of all to 00000.events.h5, … in that folder.

    Raises:
        UsageError, OutputError, Interrupted: As `write_data_set`.
    """
    if made is None:
        yield write_events(samples[0].events[0], path)
        return
    with unfinished(path, made, [path]), _counted(samples) as numbers:
        for index in numbers:
            file = path / f"{index:05d}.events.h5"
            if not file.is_file():
                write_events(samples[index].events[0], file)
            yield file


@contextmanager
def _counted(samples: SpikeSource) -> Iterator[Iterator[int]]:
    """The numbers of the samples; Ctrl-C says how many were written."""
    left = iter(range(len(samples)))
    try:
        yield left
    except KeyboardInterrupt:
        done = len(samples) - length_hint(left) - 1
        raise Interrupted(f"{done} of {len(samples)} clips are complete; the same command goes on") from None
