"""From a bound component to something that reconstructs: the one place where a model becomes a reconstructor."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import attrs
import torch

from spikecore.data.batch import Batch
from spikecore.data.kinds import Data
from spikecore.data.sample import Window
from spikecore.errors import ConfigError, PluginError, UsageError, closest, shown
from spikecore.experiment.run_config import Precision, RunConfig
from spikecore.plugin.bound import Bound
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.guard import blamed
from spikecore.plugin.host import PluginHost
from spikecore.plugin.interfaces import Model, Reconstructor
from spikecore.runner.tiles import PICTURES, Tick, in_tiles
from spikecore.weights.load import load_model


@attrs.frozen(eq=False)
class Method:
    """A method ready to run.

    Args:
        component: What it is.
        reconstructor: What computes.
        produces: The kind of its result that is wanted.
        run: How it is run.
        weights: sha256 of the trained weights in use, or "".
    """

    component: Component
    reconstructor: Reconstructor
    produces: Data
    run: RunConfig
    weights: str = ""

    @property
    def window(self) -> Window:
        """What it needs around an instant.

        Raises:
            PluginError: If it does not say so.
        """
        with blamed(self.component.id):
            window = self.reconstructor.window
        if not isinstance(window, Window):
            raise PluginError(f"{self.component.id}: its window is {shown(window)}, expected a Window")
        return window


def build_method(host: PluginHost, bound: Bound, run: RunConfig) -> Method:
    """Build a method: a reconstructor as it is, a model with its weights inside the adapter.

    Raises:
        WeightsError: If a model has no usable weights.
        UsageError: If the device is not there, or the method does not produce `run.result`.
    """
    component = bound.component
    check_device(run.device)
    produces = wanted_kind(component, run)
    if component.kind is Kind.RECONSTRUCTOR:
        if run.weights:
            raise ConfigError(f"{component.id} is not a trained model; it takes no weights")
        return Method(component, bound.build(), produces, run)
    with blamed(component.id):
        trained = load_model(host, bound, run.weights)
        adapted = ModelReconstructor(trained.model, component, run)
    return Method(component, adapted, produces, run, trained.weights)


def wanted_kind(component: Component, run: RunConfig) -> Data:
    """The kind of a method's result that is written: `run.result`, else the first that it produces.

    Raises:
        UsageError: If it does not produce that kind.
        PluginError: If it does not say what it produces.
    """
    if not component.produces:
        raise PluginError(f"{component.id} does not say what it produces")
    if not run.result:
        return component.produces[0]
    if run.result not in component.produces:
        raise UsageError(
            f"{component.id} gives no result of kind {run.result!r}: {closest(run.result, component.produces)}"
        )
    return Data(run.result)


def check_device(device: str) -> None:
    """Refuse a device that torch does not have here."""
    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        first = str(error).splitlines()[0][:200]
        raise UsageError(
            f"device {shown(device)} cannot be used here: {first}\n  try: --device cpu, or spikecore doctor"
        ) from None


class ModelReconstructor:
    """A `Model` as a `Reconstructor`: evaluation mode, no gradients, chosen precision, tiles, any device.

    Args:
        model: With its weights.
        component: What it is.
        run: Device, precision and tiles.
    """

    def __init__(self, model: Model, component: Component, run: RunConfig) -> None:
        self.model: Any = model
        self.produces = component.produces
        self.run = run
        self.model.eval().to(run.device)

    @property
    def window(self) -> Window:
        """See `spikecore.Model`."""
        window: Window = self.model.window
        return window

    @property
    def session(self) -> Any:
        """The model's own way through a recording, None if it has none."""
        return getattr(self.model, "session", None)

    @torch.inference_mode()
    def reconstruct(self, batch: Batch, /, tick: Tick | None = None) -> Mapping[str, torch.Tensor]:
        """The model's output, of every kind that it produces; in tiles, of those kinds that are pictures."""
        if not self.run.tile:
            output = self._whole(batch)
            if tick is not None:
                tick()
            return output
        if not set(self.produces) & set(PICTURES):
            raise UsageError(f"results of kind {self.produces[0]} cannot be computed in tiles; use --tile 0")
        return in_tiles(self._whole, batch, self.run.tile, self.run.overlap, tick)

    def arithmetic(self) -> AbstractContextManager[Any]:
        """In which the model computes with `run.precision`."""
        reduced = self.run.precision != Precision.FLOAT32
        dtype = getattr(torch, self.run.precision) if reduced else torch.float32
        return torch.autocast(torch.device(self.run.device).type, dtype=dtype, enabled=reduced)

    def _whole(self, batch: Batch) -> dict[str, torch.Tensor]:
        with self.arithmetic():
            output = self.model(batch)
        return {kind: value.float() if isinstance(value, torch.Tensor) else value for kind, value in output.items()}
