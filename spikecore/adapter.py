"""From a bound component to something that reconstructs: the one place where a model becomes a reconstructor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
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
from spikecore.weights import declared, file_hash, imported_folder, load_tensors, locate, merged, read, write

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
    if component.kind is Kind.RECONSTRUCTOR:
        if run.weights:
            raise ConfigError(f"{component.id} is not a trained model; it takes no weights")
        return Method(component, bound.build(), produces)
    trained = load_model(host, bound, run.weights)
    return Method(component, ModelReconstructor(trained.model, produces, run), produces, trained.weights)


@attrs.frozen(eq=False)
class Trained:
    """A model with its weights.

    Args:
        model: What was built and loaded.
        bound: The component with the options that it was built with: those that were given, and the weights' own.
        weights: sha256 of the weights' file.
    """

    model: Model
    bound: Bound
    weights: str


def load_model(host: PluginHost, bound: Bound, weights: str = "") -> Trained:
    """Find weights, read them, build the model with the options they need, and load them strictly.

    Args:
        host: Where the weights are looked up.
        bound: The model; options that were left unset are those of the weights.
        weights: A file, a name, or "" for the first that fit.

    Raises:
        WeightsError: If there are no such weights, or they do not fit.
        ConfigError: If they need another value of an option that was given.
    """
    stated = declared(host, bound, weights)
    path, digest = locate(host, bound.component, stated.name if stated else weights)
    own = stated is not None and path.suffix == ".safetensors"  # what a plugin declares so has its own keys
    held = read(bound.component, path, foreign=not own)
    if stated is None:
        bound = merged(host, bound, held.options, str(path))
    else:
        bound = merged(host, bound, stated.options, f"weights {stated.name!r}")
    model: Model = bound.build()
    put(model, held.tensors, str(path))
    return Trained(model, bound, digest)


def import_weights(host: PluginHost, component: Component, path: Path, name: str) -> Path:
    """Read a foreign checkpoint and keep it under a name, as safetensors with the options that it needs.

    Args:
        host: For the component's options.
        component: The model whose weights they are; its importer reads them, if it has one.
        path: The checkpoint.
        name: For `run.weights`; what was kept under it is replaced.

    Returns:
        The file written, in the cache.

    Raises:
        WeightsError: If the checkpoint cannot be read or does not fit the model.
    """
    held = read(component, path)
    bound = merged(host, Bound(component, host.configure(component, {})), held.options, str(path))
    model: Model = bound.build()
    put(model, held.tensors, str(path))
    training = f"imported from {path.name}, sha256 {file_hash(path)}"
    made = {"component": component.id, "options": dict(held.options), "training": training}
    target = imported_folder(component) / f"{name}.safetensors"
    target.parent.mkdir(parents=True, exist_ok=True)
    return write(target, model.network.state_dict(), made)


def check_device(device: str) -> None:
    """Refuse a device that torch does not have here."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        raise UsageError(
            f"device {device!r} cannot be used here: {first}\n  try: --device cpu, or spikecore doctor"
        ) from None


def load_network(model: Model, path: Path) -> None:
    """Load a file of plain tensors into a model's bare network, strictly.

    Raises:
        WeightsError: Lists missing and unexpected keys and differing shapes.
    """
    put(model, load_tensors(path), str(path))


def put(model: Model, tensors: Mapping[str, torch.Tensor], whose: str) -> None:
    """Load tensors into a model's bare network, strictly; shapes are compared before anything is copied.

    Raises:
        WeightsError: Lists missing and unexpected keys and differing shapes.
    """
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
        raise WeightsError(f"{whose} does not fit this network: {'; '.join(faults[:8])}{more}")
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
