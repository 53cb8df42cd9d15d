"""Declaration of the plugin train (being written)."""

from spikecore import PluginInfo, hookimpl


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.hookspecs`."""
    return PluginInfo("being written", license="MIT")
