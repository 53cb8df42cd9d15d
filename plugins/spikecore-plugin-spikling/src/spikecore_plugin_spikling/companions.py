"""Components of other plugins that this one composes with, found by their ids."""

from __future__ import annotations

from spikecore import Component, Kind, PluginHost, UnknownComponent


def companion(host: PluginHost, reference: str) -> Component:
    """A source of another plugin.

    Raises:
        UnknownComponent: If it is not installed; says what to install.
    """
    try:
        return host.find(reference, Kind.SOURCE)
    except UnknownComponent as error:
        plugin = reference.partition("/")[0]
        raise UnknownComponent(f"{error}\n  try: pip install spikecore-plugin-{plugin}") from error
