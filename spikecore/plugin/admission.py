"""What a plugin must answer before it is admitted."""

from __future__ import annotations

import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

import attrs

from spikecore.errors import PluginError, shown
from spikecore.plugin import hookspecs
from spikecore.plugin.component import API_VERSION, Component, PluginInfo

MOST_COMPONENTS = 10_000
_PLUGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,99}")


def refuse_name(name: object) -> None:
    """Refuse a name of a plugin that could not stand in an id, a path or a variable.

    Raises:
        PluginError: If it is one.
    """
    if not isinstance(name, str) or not _PLUGIN.fullmatch(name):
        raise PluginError(f"plugin name {shown(name)} is not up to 100 letters, digits, '-', '_' and '.'")


def interview(plugin: object, name: str) -> tuple[PluginInfo, list[Component]]:
    """What a plugin says of itself, and its components under its name.

    Raises:
        PluginError: If it was written for another API, or what it gives is not what is declared so.
    """
    info = _call(plugin, name, "spikecore_info")
    if not isinstance(info, PluginInfo):
        raise PluginError(f"plugin {name!r}: spikecore_info must return a PluginInfo, got {shown(info)}")
    if info.api[0] != API_VERSION[0] or info.api[1] > API_VERSION[1]:
        ours, theirs = ".".join(map(str, API_VERSION)), ".".join(map(str, info.api))
        remedy = "upgrade spikecore" if info.api > API_VERSION else "upgrade the plugin"
        raise PluginError(f"plugin {name!r} is written for API {theirs}, this is {ours}: {remedy}")
    answer = _call(plugin, name, "spikecore_components")
    answer = () if answer is None else answer
    if not isinstance(answer, Iterable):
        raise PluginError(f"plugin {name!r}: spikecore_components gave {shown(answer)}, expected Components")
    declared = list(islice(answer, MOST_COMPONENTS + 1))
    if len(declared) > MOST_COMPONENTS:
        raise PluginError(f"plugin {name!r} declares more than {MOST_COMPONENTS:,} components")
    for component in declared:
        if not isinstance(component, Component):
            raise PluginError(f"plugin {name!r}: spikecore_components gave {shown(component)}, expected a Component")
        for target in (component.target, component.writer, component.recognise, component.importer):
            if re.split("[.:]", target)[0] in sys.stdlib_module_names:
                raise PluginError(f"plugin {name!r}: {target!r} of {component.name!r} is Python's own, no component")
    components = [attrs.evolve(component, plugin=name) for component in declared]
    twice = [key for key, count in Counter((c.kind, c.id) for c in components).items() if count > 1]
    if twice:
        raise PluginError(f"plugin {name!r} declares the {twice[0][0]} {twice[0][1]!r} twice")
    return info, components


def _call(plugin: object, name: str, hook: str) -> Any:
    function = getattr(plugin, hook, None)
    if function is None or getattr(function, f"{hookspecs.PROJECT}_impl", None) is None:
        if hook == "spikecore_info":
            raise PluginError(f"plugin {name!r} has no spikecore_info hook; write it with @spikecore.hookimpl")
        return None
    if [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]:
        raise PluginError(f"plugin {name!r}: {hook} takes no arguments")
    return function()
