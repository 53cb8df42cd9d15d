"""A fake plugin of metrics for the tests of evaluations; its declaration is also their code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from spikecore import Component, Kind, PluginInfo, Unavailable, hookimpl


@attrs.frozen
class Nothing:
    """No options."""


class Brightness:
    """The mean of the last picture; needs no ground truth."""

    higher_is_better: Any = None

    def __init__(self, config: Nothing) -> None:
        self.reset()

    def update(self, preds: Any, target: Any, /) -> None:
        """See `spikecore.plugin.interfaces.Metric`."""
        self.value = preds.mean()

    def compute(self) -> Any:
        """See `spikecore.plugin.interfaces.Metric`."""
        return self.value

    def reset(self) -> None:
        """See `spikecore.plugin.interfaces.Metric`."""
        self.value = None


class WithoutFile(Brightness):
    """Lacks a file when it is built."""

    def __init__(self, config: Nothing) -> None:
        raise Unavailable("no parameters\n  try: the official file")


class Choosy(Brightness):
    """Cannot judge wide pictures."""

    higher_is_better = False

    def update(self, preds: Any, target: Any, /) -> None:
        super().update(preds, target)
        if preds.shape[-1] > 32:
            raise Unavailable("wider than 32")


class Undefined(Brightness):
    """Zero over zero."""

    def compute(self) -> Any:
        return self.value * float("nan")


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("fake metrics", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    for name in ("Brightness", "WithoutFile", "Choosy", "Undefined"):
        yield Component(
            Kind.METRIC,
            name.lower(),
            target=f"spikecore_judges:{name}",
            config=Nothing,
            summary="a fake",
            consumes=("image",),
            license="MIT",
        )
