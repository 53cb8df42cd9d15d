"""Simulated cameras and generated scenes, needing no data. This declaration imports no torch and no numpy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from spikecore import Component, Kind, PluginInfo, hookimpl
from spikecore_plugin_simulate.config import (
    ClassesConfig,
    EventFileConfig,
    EventsConfig,
    ScenesConfig,
    SpikesConfig,
    StereoEventsConfig,
)

if TYPE_CHECKING:
    import click

_PACKAGE = "spikecore_plugin_simulate"

ESIM = """@inproceedings{rebecq2018esim,
  title={{ESIM}: an Open Event Camera Simulator},
  author={Rebecq, Henri and Gehrig, Daniel and Scaramuzza, Davide},
  booktitle={Conference on Robot Learning (CoRL)},
  year={2018}
}"""


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("simulated spike and event cameras, and generated scenes with exact ground truth", license="MIT")


@hookimpl
def spikecore_add_commands(group: click.Group) -> None:
    """See `spikecore.plugin.hookspecs`."""
    from spikecore_plugin_simulate.commands import simulate, simulate_classes

    group.add_command(simulate)
    group.add_command(simulate_classes)


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.SOURCE,
        "spikes",
        target=f"{_PACKAGE}.spikes:Spikes",
        config=SpikesConfig,
        summary="a video or a folder of images seen by a simulated spike camera",
        produces=("spikes",),
        targets=("image",),
        patterns=("*.mp4", "*.mov", "*.avi", "*.mkv", "*.webm"),
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "scenes",
        target=f"{_PACKAGE}.scenes:Scenes",
        config=ScenesConfig,
        summary="generated moving scenes seen by a simulated spike camera, with exact image, flow and depth",
        produces=("spikes",),
        targets=("image", "flow", "depth"),
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "events",
        target=f"{_PACKAGE}.events:Events",
        config=EventsConfig,
        summary="a video or generated scenes seen by a simulated event camera",
        produces=("events",),
        license="MIT",
        citation=ESIM,
    )
    yield Component(
        Kind.SOURCE,
        "stereo-events",
        target=f"{_PACKAGE}.stereo:StereoEvents",
        config=StereoEventsConfig,
        summary="generated scenes seen by a pair of simulated event cameras, with exact depth",
        produces=("events",),
        targets=("depth",),
        license="MIT",
        citation=ESIM,
    )
    yield Component(
        Kind.SOURCE,
        "event-file",
        target=f"{_PACKAGE}.event_file:EventFile",
        config=EventFileConfig,
        summary="events in plain HDF5 (/events/x, y, t, p), read where they are looked at",
        produces=("events",),
        patterns=("*.events.h5", "*.events.hdf5", "*.h5", "*.hdf5"),
        recognise=f"{_PACKAGE}.recognise:recognise_events",
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "classes",
        target=f"{_PACKAGE}.classes:Classes",
        config=ClassesConfig,
        summary="recordings with class labels in the manner of U-CIFAR and U-CALTECH",
        produces=("spikes",),
        targets=("image", "label", "text"),
        license="MIT",
    )
