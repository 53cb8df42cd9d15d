"""From a bound component to something that reconstructs: the one place where a model becomes a reconstructor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import torch

from spikecore.batch import Batch
from spikecore.component import Component, Data, Kind
from spikecore.errors import ConfigError, PluginError, UsageError, WeightsError
from spikecore.experiment import Bound, Precision, RunConfig
from spikecore.host import PluginHost
from spikecore.sample import Window
from spikecore.tiles import in_clips, in_tiles
from spikecore.weights import load_tensors, locate

if TYPE_CHECKING:
    from spikecore.interfaces import Model, Reconstructor


@attrs.frozen(eq=False)
class Method:
    """A method ready to run.

    Args:
        component: What it is.
        reconstructor: What computes.
        produces: The kind of its result.
        weights: sha256 of the trained weights in use, or "".
    """

    component: Component
    reconstructor: Reconstructor
    produces: Data
    weights: str = ""


def prepare(host: PluginHost, bound: Bound, run: RunConfig) -> Method:
    """Build a method: a reconstructor as it is, a model with its weights inside the adapter.

    Raises:
        WeightsError: If a model has no usable weights.
        UsageError: If the device is not there, or the method produces nothing that can be written.
    """
    component = bound.component
    check_device(run.device)
    if not component.produces:
        raise PluginError(f"{component.id} does not say what it produces")
    produces = next(kind for kind in Data if kind in component.produces)
    built = bound.build()
    if component.kind is Kind.RECONSTRUCTOR:
        if run.weights:
            raise ConfigError(f"{component.id} is not a trained model; it takes no weights")
        return Method(component, built, produces)
    path, digest = locate(host, component, run.weights)
    load_network(built, path)
    return Method(component, ModelReconstructor(built, produces, run), produces, digest)


def check_device(device: str) -> None:
    """Refuse a device that torch does not have here."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        raise UsageError(
            f"device {device!r} cannot be used here: {first}\n  try: --device cpu, or spikecore doctor"
        ) from None


def load_network(model: Model, path: Any) -> None:
    """Load weights into a model's bare network, strictly.

    Raises:
        WeightsError: Lists missing and unexpected keys and differing shapes.
    """
    tensors = load_tensors(path)
    own = model.network.state_dict()
    faults = [f"missing {key}" for key in sorted(own.keys() - tensors.keys())]
    faults += [f"unexpected {key}" for key in sorted(tensors.keys() - own.keys())]
    faults += [
        f"{key} is {tuple(tensors[key].shape)}, expected {tuple(own[key].shape)}"
        for key in sorted(own.keys() & tensors.keys())
        if tensors[key].shape != own[key].shape
    ]
    if faults:
        more = f" and {len(faults) - 8} more" if len(faults) > 8 else ""
        raise WeightsError(f"{path} does not fit this network: {'; '.join(faults[:8])}{more}")
    model.network.load_state_dict(tensors)


class ModelReconstructor:
    """A `Model` as a `Reconstructor`: evaluation mode, no gradients, chosen precision, tiles and clips, any device."""

    def __init__(self, model: Model, produces: Data, run: RunConfig) -> None:
        self.model: Any = model
        self.produces = produces
        self.run = run
        self.model.eval().to(run.device)

    @property
    def window(self) -> Window:
        """See `spikecore.interfaces.Model`."""
        window: Window = self.model.window
        return window

    @torch.inference_mode()
    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """The model's output of the kind it produces."""
        run = self.run
        if run.tile_frames and batch.frames is not None:
            return in_clips(self._in_tiles, batch, run.tile_frames, run.overlap_frames)
        return self._in_tiles(batch)

    def _in_tiles(self, batch: Batch) -> torch.Tensor:
        if self.run.tile:
            return in_tiles(self._whole, batch, self.run.tile, self.run.overlap)
        return self._whole(batch)

    def _whole(self, batch: Batch) -> torch.Tensor:
        reduced = self.run.precision != Precision.FLOAT32
        dtype = getattr(torch, self.run.precision) if reduced else torch.float32
        with torch.autocast(torch.device(self.run.device).type, dtype=dtype, enabled=reduced):
            output = self.model(batch)
        result: torch.Tensor = output[self.produces].float()
        return result
