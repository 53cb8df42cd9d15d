"""A plain learned baseline: five convolutions on 41 spike frames. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from spikecore import Component, Kind, PluginInfo, Weights, hookimpl
from spikecore_plugin_baseline.config import ConvConfig


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("five convolutions on 41 spike frames, trained on generated scenes", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.MODEL,
        "conv",
        target="spikecore_plugin_baseline.conv:Conv",
        config=ConvConfig,
        summary="five 3x3 convolutions, 41-64-128-64-16-1: much quality for its cost",
        consumes=("spikes",),
        produces=("image",),
        weights=(
            Weights(
                "generated",
                sha256="93eb3e7c599fba838935bc494a9985f64059c3af67a557179e469425a38d845f",
                size=723_556,
                file="weights/generated.safetensors",
                license="MIT",
                training="generated.toml in this package: 3000 steps on generated scenes only",
                scores={"REDS 203_part2 + 203_part3, frame 150, gain 1/0.6/iqa/psnr": 30.77},
            ),
        ),
        license="MIT",
    )
