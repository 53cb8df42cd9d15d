"""Plugins made in a test."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import attrs

from spikecore.plugin.component import Component, Kind, PluginInfo
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import GROUP
from spikecore.plugin.options import option


@attrs.frozen
class Options:
    window: int = option(41, help="frames")


def component(name="mean", kind=Kind.RECONSTRUCTOR, **extra):
    return Component(kind, name, "nowhere.module:Thing", Options, "a thing", **extra)


def plugin(*components, info=None, **hooks):
    @hookimpl
    def spikecore_info():
        return info or PluginInfo("test plugin", license="MIT")

    @hookimpl
    def spikecore_components():
        yield from components

    return SimpleNamespace(
        spikecore_info=spikecore_info,
        spikecore_components=spikecore_components,
        **{name: hookimpl(function) for name, function in hooks.items()},
    )


GOOD = """
from spikecore import PluginInfo, hookimpl

@hookimpl
def spikecore_info():
    return PluginInfo("good")
"""


def write_plugin(folder, name, body):
    (folder / f"{name}.py").write_text(body)
    return EntryPoint(name, name, GROUP)


def owned(point, distribution):
    """An entry point as importlib.metadata gives it: with its distribution."""
    point = EntryPoint(point.name, point.value, point.group)
    vars(point)["dist"] = SimpleNamespace(name=distribution, version="1.0")
    return point
