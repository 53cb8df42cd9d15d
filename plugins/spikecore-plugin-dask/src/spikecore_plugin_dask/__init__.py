"""Jobs over many recordings on a cluster, through dask.distributed. This declaration imports neither dask nor torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikecore import PluginInfo, hookimpl

if TYPE_CHECKING:
    from spikecore import Executor


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("does jobs over many recordings on a cluster: --executor dask", license="MIT")


@hookimpl
def spikecore_executor(name: str, workers: int, address: str) -> Executor | None:
    """See `spikecore.plugin.hookspecs`; nothing is started or connected before there is an item to do."""
    if name != "dask":
        return None
    from spikecore_plugin_dask.executor import DaskExecutor

    return DaskExecutor(workers, address)
