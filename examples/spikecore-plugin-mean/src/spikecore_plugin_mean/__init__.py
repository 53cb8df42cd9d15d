"""The mean of spike frames, as a plugin. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from spikecore import Component, Kind, PluginInfo, hookimpl
from spikecore_plugin_mean.config import MeanConfig


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("the mean of spike frames, an example", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.RECONSTRUCTOR,
        "mean",
        target="spikecore_plugin_mean.mean:Mean",
        config=MeanConfig,
        summary="the mean of a window of spike frames",
        consumes=("spikes",),
        produces=("image",),
        license="MIT",
    )
