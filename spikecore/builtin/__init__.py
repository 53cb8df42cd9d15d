"""The core's own components, declared the way every plugin declares its own."""

from __future__ import annotations

from collections.abc import Iterable

from spikecore.builtin.config import PsnrConfig, SceneConfig
from spikecore.plugin.component import Component, Kind, PluginInfo
from spikecore.plugin.hookspecs import hookimpl
from spikecore.weights.find import spikecore_resolve_weights

__all__ = ["spikecore_components", "spikecore_info", "spikecore_resolve_weights"]


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("a generated scene with exact ground truth, and PSNR", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.SOURCE,
        "scene",
        target="spikecore.builtin.scene:Scene",
        config=SceneConfig,
        summary="generated moving shapes seen by an ideal spike camera, with exact ground truth",
        produces=("spikes",),
        targets=("image",),
        license="MIT",
    )
    yield Component(
        Kind.METRIC,
        "psnr",
        target="spikecore.builtin.psnr:Psnr",
        config=PsnrConfig,
        summary="peak signal-to-noise ratio of images in [0, 1], in dB",
        consumes=("image",),
        targets=("image",),
        license="MIT",
    )
