"""Tiny models and generated sources to train them on, as a plugin. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from spikecore import Component, Kind, PluginInfo, hookimpl
from spikecore_plugin_tiny.config import DriveConfig, ModelConfig, PanConfig


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("tiny models to train, one for each kind of task, an example", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    models = {
        "image": (("spikes",), ("image",), "two convolutions on a window of spikes"),
        "video": (("frames", "spikes"), ("video",), "blurred camera frames sharpened by the spikes around them"),
        "depth": (("events",), ("depth",), "depth from counts of events"),
    }
    for name, (consumes, produces, summary) in models.items():
        yield Component(
            Kind.MODEL,
            name,
            target=f"spikecore_plugin_tiny.models:{name.title()}",
            config=ModelConfig,
            summary=summary,
            consumes=consumes,
            produces=produces,
            license="MIT",
        )
    yield Component(
        Kind.SOURCE,
        "pan",
        target="spikecore_plugin_tiny.sources:Pan",
        config=PanConfig,
        summary="a texture that slides by, seen by a camera that blurs and by a spike camera",
        produces=("frames", "spikes"),
        targets=("video",),
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "drive",
        target="spikecore_plugin_tiny.sources:Drive",
        config=DriveConfig,
        summary="a ground plane seen from a moving event camera: what is near makes more events",
        produces=("events",),
        targets=("depth",),
        license="MIT",
    )
