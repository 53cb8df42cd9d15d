"""Trained weights into a model, strictly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import torch

from spikecore.errors import WeightsError
from spikecore.plugin.bound import Bound
from spikecore.plugin.component import Component
from spikecore.plugin.host import PluginHost
from spikecore.weights.files import file_hash, file_state, load_tensors, read, write_weights
from spikecore.weights.find import imported_folder
from spikecore.weights.settle import merged, settle

if TYPE_CHECKING:
    from spikecore.plugin.interfaces import Model


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
        bound: The model; options that were left unset are those of the weights. What is settled is not looked up again.
        weights: A file, a name, or "" for the first that fit.

    Raises:
        WeightsError: If there are no such weights, or they do not fit.
        ConfigError: If they need another value of an option that was given.
    """
    if bound.weights is None or not bound.weights.answers(weights):
        bound = settle(host, bound, weights)
    chosen = bound.weights
    assert chosen is not None  # settled above, or before
    if file_state(chosen.path) != chosen.state:
        raise WeightsError(f"{chosen.path} changed since it was looked at; start again")
    held = read(bound.component, chosen.path, foreign=not chosen.own)
    model: Model = bound.build()
    put(model, held.tensors, str(chosen.path))
    return Trained(model, bound, chosen.sha256)


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
    return write_weights(target, model.network.state_dict(), made)


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
    faults += [f"unexpected {key[:100]}" for key in sorted(tensors.keys() - own.keys())]
    faults += [
        f"{key} is {tuple(tensors[key].shape)}, expected {tuple(own[key].shape)}"
        for key in sorted(own.keys() & tensors.keys())
        if tensors[key].shape != own[key].shape
    ]
    if faults:
        more = f" and {len(faults) - 8} more" if len(faults) > 8 else ""
        raise WeightsError(f"{whose} does not fit this network: {'; '.join(faults[:8])}{more}")
    model.network.load_state_dict(tensors)
