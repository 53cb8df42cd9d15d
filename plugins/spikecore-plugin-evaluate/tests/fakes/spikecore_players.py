"""A fake plugin of methods, right and wrong, and of a metric that fails; its declaration is also their code."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import attrs

from spikecore import Component, Kind, PluginInfo, Window, hookimpl


@attrs.frozen
class Nothing:
    """No options."""


class Mean:
    """The mean of the window; counts how often it is asked."""

    window = Window.centred(21)
    calls = 0

    def __init__(self, config: Nothing) -> None:
        pass

    def reconstruct(self, batch: Any, /) -> Any:
        type(self).calls += 1
        return batch.spikes.tensor().mean(1, keepdim=True)


class Twice(Mean):
    """Pictures of twice the size."""

    def reconstruct(self, batch: Any, /) -> Any:
        return super().reconstruct(batch).repeat_interleave(2, -1).repeat_interleave(2, -2)


class Broken(Mean):
    """Fails on the second clip."""

    def reconstruct(self, batch: Any, /) -> Any:
        if batch.keys[0].endswith("1"):
            raise ZeroDivisionError("no light")
        return super().reconstruct(batch)


class Quitter(Mean):
    """Ends the program when it is built."""

    def __init__(self, config: Nothing) -> None:
        sys.exit("no licence")


class Rude:
    """A metric that fails."""

    higher_is_better = True

    def __init__(self, config: Nothing) -> None:
        pass

    def reset(self) -> None:
        pass

    def update(self, preds: Any, target: Any, /) -> None:
        raise RuntimeError("I will not")

    def compute(self) -> Any:
        raise RuntimeError("never reached")


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("fake methods", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    for name in ("Mean", "Twice", "Broken", "Quitter"):
        target = f"spikecore_players:{name}"
        yield Component(
            Kind.RECONSTRUCTOR, name.lower(), target, Nothing, "a fake", consumes="spikes", produces="image"
        )
    yield Component(Kind.METRIC, "rude", "spikecore_players:Rude", Nothing, "a fake", consumes="image")
