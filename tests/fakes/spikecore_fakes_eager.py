"""A fake plugin whose declaration is also the component's code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from spikecore_fakes.config import Windowed

from spikecore import Batch, Component, Kind, PluginInfo, Window, hookimpl

if TYPE_CHECKING:
    import torch


class Mean:
    """The mean of the window."""

    def __init__(self, config: Windowed) -> None:
        self.window = Window.centred(config.window)

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """See `spikecore.plugin.interfaces.Reconstructor`."""
        return batch.spikes.tensor().mean(1, keepdim=True)


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("a fake", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.RECONSTRUCTOR,
        "mean",
        target="spikecore_fakes_eager:Mean",
        config=Windowed,
        summary="a fake",
        consumes=("spikes",),
        produces=("image",),
        license="MIT",
    )
