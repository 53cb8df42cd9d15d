"""What a checkpoint holds: plain tensors, numbers and texts, taken from a training and put back into one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from spikecore import SpikeFormatError, UsageError
from spikecore.interfaces import TrainRun
from spikecore_plugin_train.average import Average
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.progress import Progress

Parts: TypeAlias = tuple[nn.Module, Average, torch.optim.Optimizer, torch.amp.GradScaler]


def guard(run: TrainRun, config: LoopConfig) -> dict[str, Any]:
    """What must be the same for a training to go on exactly; the number of processes need not be."""
    return {
        "seed": run.seed,
        "samples": len(run.source),
        "batch": config.batch,
        "stages": [stage.name for stage in run.stages],
    }


def snapshot(
    progress: Progress,
    guarded: Mapping[str, Any],
    parts: Parts,
    states: list[dict[str, torch.Tensor]],
    recipe: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of a checkpoint; schedules and the order of samples follow from `progress` and need no state."""
    model, average, optimiser, scaler = parts
    return {
        "progress": progress.plain(),
        "guard": dict(guarded),
        "model": dict(model.state_dict()),
        "average": dict(average.state),
        "optimiser": optimiser.state_dict(),
        "scaler": scaler.state_dict(),
        "random": states,
        "recipe": json.dumps(recipe, default=str),
    }


def restored(
    held: Mapping[str, Any],
    path: Path,
    guarded: Mapping[str, Any],
    model: nn.Module,
    average: Average,
    scaler: torch.amp.GradScaler,
) -> Progress:
    """Put a checkpoint back; the optimiser is restored when its stage is made ready.

    Raises:
        UsageError: If the run differs in what must be the same; says in what.
        SpikeFormatError: If the checkpoint is of another model.
    """
    differing = [name for name, value in guarded.items() if held["guard"].get(name) != value]
    if differing:
        told = "; ".join(f"{name} was {held['guard'].get(name)!r}, is {guarded[name]!r}" for name in differing)
        raise UsageError(f"{path} cannot go on exactly: {told}\n  try: the values it had, or another folder")
    try:
        model.load_state_dict(held["model"])
    except RuntimeError as error:
        raise SpikeFormatError(path, f"a checkpoint of another model: {error}") from error
    average.load(held["average"])
    if scaler.is_enabled() and held["scaler"]:
        scaler.load_state_dict(held["scaler"])
    return Progress.of(held["progress"])
