"""Optimisers by name: {"use": "adam", "lr": 2e-4, …}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs
import torch
from attrs.validators import and_, ge, gt, lt

from spikecore import ConfigError, closest, make_converter, option, structure

Groups: TypeAlias = list[dict[str, Any]]


@attrs.frozen
class Adam:
    """Adam; with decoupled weight decay it is called adamw."""

    lr: float = option(1e-4, help="learning rate", validator=gt(0.0))
    beta1: float = option(0.9, help="decay of the mean of gradients", validator=and_(ge(0.0), lt(1.0)))
    beta2: float = option(0.999, help="decay of the mean of squared gradients", validator=and_(ge(0.0), lt(1.0)))
    eps: float = option(1e-8, help="added to the root of the squared mean", validator=gt(0.0))
    weight_decay: float = option(0.0, help="pull of weights towards zero", validator=ge(0.0))


@attrs.frozen
class Sgd:
    """Stochastic gradient descent."""

    lr: float = option(1e-2, help="learning rate", validator=gt(0.0))
    momentum: float = option(0.0, help="share of the last step that is kept", validator=and_(ge(0.0), lt(1.0)))
    nesterov: bool = option(False, help="look ahead by the momentum")
    weight_decay: float = option(0.0, help="pull of weights towards zero", validator=ge(0.0))


OPTIMISERS: Mapping[str, type] = {"adam": Adam, "adamw": Adam, "sgd": Sgd}


def read_optimiser(table: Mapping[str, Any], where: str) -> Adam | Sgd:
    """The options of a stage's optimiser.

    Raises:
        ConfigError: If the name or an option is unknown or out of range.
    """
    name = str(table.get("use"))
    if name not in OPTIMISERS:
        raise ConfigError(f"no optimiser {name!r} @ {where}.use: {closest(name, OPTIMISERS)}")
    options = {key: value for key, value in table.items() if key != "use"}
    found: Adam | Sgd = structure(make_converter(), options, OPTIMISERS[name], where)
    return found


def build_optimiser(name: str, options: Adam | Sgd, groups: Groups) -> torch.optim.Optimizer:
    """The optimiser of parameter groups whose learning rates are set before each step."""
    if isinstance(options, Sgd):
        return torch.optim.SGD(
            groups, options.lr, options.momentum, weight_decay=options.weight_decay, nesterov=options.nesterov
        )
    kind = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
    betas = (options.beta1, options.beta2)
    return kind(groups, options.lr, betas, options.eps, options.weight_decay)
