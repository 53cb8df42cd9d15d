"""One stage of a recipe, made ready: which parameters train and how fast, at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import torch
from torch import nn

from spikecore import ConfigError, Stage, closest
from spikecore_plugin_train.optimisers import build_optimiser, read_optimiser
from spikecore_plugin_train.schedules import rate, read_schedule


class Plan:
    """A stage of one model.

    Args:
        stage: The recipe.
        model: What is trained.
        trainable: Names of parameters that the model itself lets train.
        per_epoch: Optimiser steps of a pass over the data.

    Raises:
        ConfigError: If the stage is wrong, or a pattern fits no parameter.
    """

    def __init__(self, stage: Stage, model: nn.Module, trainable: frozenset[str], per_epoch: int) -> None:
        where = f"stage {stage.name!r}"
        if (stage.steps is None) == (stage.epochs is None) or (stage.steps or stage.epochs or 0) < 1:
            raise ConfigError(f"{where} needs steps or epochs, a number above 0 of one of them")
        self.stage = stage
        self.per_unit = 1 if stage.steps is not None else per_epoch
        self.steps = (stage.steps or stage.epochs or 0) * self.per_unit
        self.schedule = read_schedule(stage.schedule, f"{where}.schedule")
        self._options = read_optimiser(stage.optimiser, f"{where}.optimiser")
        self._named = {name: one for name, one in model.named_parameters() if name in trainable}
        self.multipliers = self._multipliers(where)
        self._releases = self._release_steps(where)

    def _multipliers(self, where: str) -> dict[str, float]:
        """Learning-rate multiplier by name of parameter; of several patterns that fit, the last one counts."""
        found: dict[str, float] = {}
        for pattern, multiplier in self.stage.trains.items():
            found |= dict.fromkeys(self._matching(pattern, f"{where}.trains"), multiplier)
        found = {name: multiplier for name, multiplier in found.items() if multiplier > 0}
        if not found:
            raise ConfigError(f"{where} trains nothing: {dict(self.stage.trains)}")
        return found

    def _matching(self, pattern: str, where: str) -> list[str]:
        names = [name for name in self._named if fnmatchcase(name, pattern)]
        if not names:
            raise ConfigError(
                f"{pattern!r} fits no parameter that can train @ {where}: {closest(pattern, self._named)}"
            )
        return names

    def _release_steps(self, where: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for pattern, time in self.schedule.release.items():
            step = round(time * self.per_unit)
            found |= dict.fromkeys(self._matching(pattern, f"{where}.schedule.release"), step)
        return found

    def optimiser(self) -> torch.optim.Optimizer:
        """An optimiser over the trained parameters, one group for each multiplier."""
        groups = [
            {"params": [self._named[name] for name in self._of(multiplier)], "multiplier": multiplier}
            for multiplier in sorted(set(self.multipliers.values()))
        ]
        return build_optimiser(self.stage.optimiser["use"], self._options, groups)

    def _of(self, multiplier: float) -> Sequence[str]:
        return [name for name in self._named if self.multipliers.get(name) == multiplier]

    def apply(self, optimiser: torch.optim.Optimizer, step: int) -> float:
        """Set the learning rates of step number `step` (from 0) of the stage; returns the one of multiplier 1."""
        current = self._options.lr * rate(self.schedule, step, self.steps, self.per_unit)
        for group in optimiser.param_groups:
            group["lr"] = current * group["multiplier"]
        return current

    def freeze(self, model: nn.Module, step: int) -> None:
        """Let the parameters of step number `step` train, freeze the others, and set the modules' modes.

        A module whose own parameters are all frozen is put in evaluation mode: running statistics of frozen
        normalisation layers stay as they are. One without parameters trains always.
        """
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in self.multipliers and step >= self._releases.get(name, 0))
        model.train()
        for module in model.modules():
            own = list(module.parameters(recurse=False))
            if own and not any(parameter.requires_grad for parameter in own):
                module.training = False

    def changes_at(self, step: int) -> bool:
        """True if parameters begin to train at this step, or the stage begins."""
        return step == 0 or step in self._releases.values()


def trainable_names(model: nn.Module) -> frozenset[str]:
    """Parameters that the model itself lets train; those it froze when it was built stay frozen in every stage."""
    return frozenset(name for name, parameter in model.named_parameters() if parameter.requires_grad)


def restore_trainable(model: nn.Module, trainable: frozenset[str]) -> None:
    """Undo what stages froze."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in trainable)


def needed_losses(stages: Sequence[Stage], losses: Mapping[str, object]) -> None:
    """Refuse stages whose losses are not there.

    Raises:
        ConfigError: Names the stage and the loss.
    """
    for stage in stages:
        if not stage.losses:
            raise ConfigError(f"stage {stage.name!r} has no losses")
        for reference in stage.losses:
            if reference not in losses:
                raise ConfigError(f"stage {stage.name!r} needs the loss {reference!r}: {closest(reference, losses)}")
