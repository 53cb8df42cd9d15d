"""Which weights a model uses, and the options that they need: settled once, then carried with the experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from spikecore.errors import ConfigError, WeightsError, shown
from spikecore.experiment.experiment import Experiment
from spikecore.plugin.bound import Bound, Settled
from spikecore.plugin.component import Kind, Weights
from spikecore.plugin.host import PluginHost
from spikecore.weights.files import file_state, read, statement
from spikecore.weights.find import locate


def declared(host: PluginHost, bound: Bound, name: str = "") -> Weights | None:
    """The declared weights of that name, None if there are none.

    Without a name: the first that need no other options than were given, else the first.
    """
    offered = bound.component.weights
    if name:
        return next((one for one in offered if one.name == name), None)
    fitting = ((one, _merge(host, bound, one.options, f"weights {one.name!r}")) for one in offered)
    return next((one for one, config in fitting if not _contradicted(bound, config)), next(iter(offered), None))


def settle(host: PluginHost, bound: Bound, name: str = "") -> Bound:
    """A model with its weights found and hashed, and the options that they need where they were left unset.

    Reads no tensors of our own files.

    Raises:
        ConfigError: If the weights need another value of an option that was given.
        WeightsError: If there are no such weights, or they cannot be read.
    """
    component, stated = bound.component, declared(host, bound, name)
    path, digest = locate(host, component, stated.name if stated else name)
    if stated is not None:
        own = path.suffix == ".safetensors"  # what a plugin declares so has its own keys
        bound = merged(host, bound, stated.options, f"weights {stated.name!r}")
        return attrs.evolve(bound, weights=Settled(stated.name, path, digest, own, name, file_state(path)))
    said = statement(path, component)
    options = said["options"] if said else read(component, path).options
    bound = merged(host, bound, options, str(path))
    found = Settled(name or path.stem, path, digest, said is not None, name, file_state(path))
    return attrs.evolve(bound, weights=found)


def settled(experiment: Experiment) -> Experiment:
    """The experiment in which every model has its weights and their options; what is settled already stays so.

    Weights that cannot be had, and unnamed ones that contradict an option, leave their model unsettled: whoever loads
    it raises the reason.

    Raises:
        WeightsError: If they are not those of the run that is repeated.
        ConfigError: If the weights named by `run.weights` need another value of an option that was given.
    """
    parts = {
        role: _settled_if_possible(experiment.host, bound, experiment.run.weights)
        if bound.component.kind is Kind.MODEL and not (bound.weights and bound.weights.answers(experiment.run.weights))
        else bound
        for role, bound in experiment.parts.items()
    }
    for bound in parts.values():
        stated = experiment.recorded.get(bound.label, experiment.recorded.get(bound.component.id))
        if bound.weights and stated is not None and stated != bound.weights.sha256:
            raise WeightsError(
                f"{bound.weights.path}: sha256 {bound.weights.sha256} is not that of the weights that "
                f"{bound.component.id} had in the run that is repeated, {shown(stated)}\n"
                "  try: --set run.weights=FILE, the weights of then or others"
            )
    return attrs.evolve(experiment, parts=parts)


def _settled_if_possible(host: PluginHost, bound: Bound, name: str) -> Bound:
    try:
        return settle(host, bound, name)
    except WeightsError:
        return _with_options(host, bound, name)
    except ConfigError:
        if name:
            raise
        return bound


def _with_options(host: PluginHost, bound: Bound, name: str) -> Bound:
    """With the options of declared weights whose file is not here."""
    stated = declared(host, bound, name)
    try:
        return bound if stated is None else merged(host, bound, stated.options, f"weights {stated.name!r}")
    except ConfigError:
        return bound


def merged(host: PluginHost, bound: Bound, options: Mapping[str, object], whose: str) -> Bound:
    """A component with `options` where they were left unset.

    Raises:
        ConfigError: If one of them that is not adjustable was given another value, or one does not exist.
    """
    config = _merge(host, bound, options, whose)
    for name in _contradicted(bound, config):
        given, wanted = getattr(bound.config, name), getattr(config, name)
        raise ConfigError(
            f"{bound.component.id}: {name}={given} was given, but {whose} were made with {name}={wanted}\n"
            f"  try: leave {name} out, or choose other weights (spikecore weights list {bound.component.id})"
        )
    return attrs.evolve(bound, config=config)


def _merge(host: PluginHost, bound: Bound, options: Mapping[str, object], whose: str) -> Any:
    if not options:
        return bound.config
    current = {key: value for key, value in host.converter.unstructure(bound.config).items() if value is not None}
    given = {
        field.name for field in attrs.fields(type(bound.config)) if field.metadata.get("adjustable")
    } & bound.explicit
    wanted = {key: value for key, value in options.items() if key not in given}
    return host.configure(bound.component, current | wanted, f"{bound.component.id}, options of {whose}")


def _contradicted(bound: Bound, config: Any) -> list[str]:
    return sorted(name for name in bound.explicit if getattr(bound.config, name) != getattr(config, name))
