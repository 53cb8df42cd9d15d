"""A plugin of fake components, right and wrong, on which the contract tests are tested."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cattrs import Converter

from spikecore import Component, Kind, PluginInfo, Weights, hookimpl
from spikecore_fakes import config
from spikecore_fakes.table import Fake, fakes

_MODULES = {Kind.LOSS: "losses"}
_PICTURES = {"consumes": ("spikes",), "produces": ("image",), "config": config.Windowed}
_JUDGES = {"consumes": ("image",), "targets": ("image",), "config": config.Nothing}
_RIGHT: dict[Kind, dict[str, Any]] = {
    Kind.RECONSTRUCTOR: {**_PICTURES, "citation": "@misc{fake}"},
    Kind.MODEL: _PICTURES,
    Kind.SOURCE: {
        "produces": ("spikes",),
        "targets": ("image",),
        "config": config.Clips,
        "patterns": ("*.npy",),
        "writer": "spikecore_fakes.sources:write",
    },
    Kind.LOSS: _JUDGES,
    Kind.METRIC: _JUDGES,
    Kind.TRAINER: {"config": config.Loop},
}


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("fake components", license="MIT")


@hookimpl
def spikecore_converter(converter: Converter) -> None:
    """See `spikecore.plugin.hookspecs`."""
    converter.register_structure_hook(config.Lenient, config.read_leniently)


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    return [_component(fake) for fake in fakes()]


def _component(fake: Fake) -> Component:
    module = _MODULES.get(fake.kind, f"{fake.kind}s")
    declared: dict[str, Any] = {
        "target": f"spikecore_fakes.{module}:{fake.name.title().replace('-', '')}",
        "summary": f"a fake {fake.kind}",
        "license": "MIT",
        **_RIGHT[fake.kind],
        **fake.declared,
    }
    if "weights" in declared:
        sha256, size = declared["weights"]
        declared["weights"] = (Weights("base", sha256=sha256, size=size, file="weights/base.safetensors"),)
    return Component(fake.kind, fake.name, **declared)
