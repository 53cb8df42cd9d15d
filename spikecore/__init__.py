"""spikecore: a microkernel for spike-camera and event-camera vision.

    import spikecore as sc

    stream = sc.open("data.dat", height=250, width=400)
    image = sc.reconstruct(stream, "classic/tfi", at=200)

Everything here is imported on first use; `import spikecore` costs milliseconds and never imports torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "API_VERSION": "component",
    "Component": "component",
    "Data": "component",
    "Kind": "component",
    "PluginInfo": "component",
    "Weights": "component",
    "hookimpl": "hookspecs",
    "option": "config",
    "PluginHost": "host",
    "SpikecoreError": "errors",
    "UsageError": "errors",
    "ConfigError": "errors",
    "SpikeFormatError": "errors",
    "OutputError": "errors",
    "Experiment": "experiment",
    "Layout": "spikes",
    "SpikeStream": "spikes",
    "EventStream": "events",
    "Batch": "batch",
    "Sample": "sample",
    "Window": "sample",
    "collate": "batch",
    "Live": "live",
    "compose": "api",
    "evaluate": "api",
    "list_components": "api",
    "open": "api",
    "open_source": "api",
    "reconstruct": "api",
    "run": "api",
    "save": "api",
}

if TYPE_CHECKING:
    from spikecore.api import compose, evaluate, list_components, open, open_source, reconstruct, run, save
    from spikecore.batch import Batch, collate
    from spikecore.component import API_VERSION, Component, Data, Kind, PluginInfo, Weights
    from spikecore.config import option
    from spikecore.errors import ConfigError, OutputError, SpikecoreError, SpikeFormatError, UsageError
    from spikecore.events import EventStream
    from spikecore.experiment import Experiment
    from spikecore.hookspecs import hookimpl
    from spikecore.host import PluginHost
    from spikecore.live import Live
    from spikecore.sample import Sample, Window
    from spikecore.spikes import Layout, SpikeStream

__all__ = [
    "API_VERSION",
    "Batch",
    "Component",
    "ConfigError",
    "Data",
    "EventStream",
    "Experiment",
    "Kind",
    "Layout",
    "Live",
    "OutputError",
    "PluginHost",
    "PluginInfo",
    "Sample",
    "SpikeFormatError",
    "SpikeStream",
    "SpikecoreError",
    "UsageError",
    "Weights",
    "Window",
    "collate",
    "compose",
    "evaluate",
    "hookimpl",
    "list_components",
    "open",
    "open_source",
    "option",
    "reconstruct",
    "run",
    "save",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'spikecore' has no attribute {name!r}")
    value = getattr(import_module(f"spikecore.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
