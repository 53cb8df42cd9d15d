"""A fake plugin whose declaration imports a heavy module."""

from __future__ import annotations

from collections.abc import Iterable

import cv2  # noqa: F401  # this is the fault
from spikecore_fakes.config import Windowed

from spikecore import Component, Kind, PluginInfo, hookimpl


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("a fake", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.RECONSTRUCTOR,
        "mean",
        target="spikecore_fakes.reconstructors:Mean",
        config=Windowed,
        summary="a fake",
        consumes=("spikes",),
        produces=("image",),
        license="MIT",
    )
