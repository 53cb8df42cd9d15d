"""What a checkpoint holds: plain tensors, numbers and texts, taken from a training and put back into one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import torch

from spikecore import TrainRun, UsageError
from spikecore_plugin_train.average import Average
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.kept import Kept
from spikecore_plugin_train.optimisers import read_optimiser
from spikecore_plugin_train.progress import Progress

Parts: TypeAlias = tuple[Kept, Average, torch.optim.Optimizer, torch.amp.GradScaler]


def guard(run: TrainRun, config: LoopConfig, best: str, frozen: str) -> dict[str, Any]:
    """What must be the same for a training to go on exactly; the number of processes need not be.

    Args:
        run: Its seed, samples and stages: all but their lengths, schedules and learning rates.
        config: The size of a batch.
        best: The metric that says what is best.
        frozen: Digest of the parameters that checkpoints leave out.
    """
    guarded = {
        "seed": run.seed,
        "samples": len(run.source),
        "samples of the bank": 0 if run.bank is None else len(run.bank),
        "batch": config.batch,
        "best": best,
        "digest of what never trains": frozen,
        "stages": [stage.name for stage in run.stages],
    }
    for number, stage in enumerate(run.stages, start=1):
        optimiser = attrs.asdict(read_optimiser(stage.optimiser, f"stage {stage.name!r}.optimiser"))
        del optimiser["lr"]  # set anew before each step
        guarded[f"optimiser of stage {number}"] = {"use": stage.optimiser["use"], **optimiser}
        guarded[f"trains of stage {number}"] = list(stage.trains.items())  # of several that fit, the last one counts
        guarded[f"losses of stage {number}"] = dict(stage.losses)
    return guarded


def snapshot(
    progress: Progress,
    guarded: Mapping[str, Any],
    parts: Parts,
    states: list[dict[str, torch.Tensor]],
    recipe: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of a checkpoint; schedules and the order of samples follow from `progress` and need no state."""
    kept, average, optimiser, scaler = parts
    return {
        "progress": progress.plain(),
        "guard": dict(guarded),
        "model": kept.state(),
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
    kept: Kept,
    average: Average,
    scaler: torch.amp.GradScaler,
) -> Progress:
    """Put a checkpoint back; the optimiser is restored when its stage is made ready.

    Raises:
        UsageError: If the run differs in what must be the same; says in what.
        SpikeFormatError: If the checkpoint is of another model.
    """
    before = {**guarded, **held["guard"]}  # a checkpoint of an older version holds less
    differing = [name for name, value in guarded.items() if before[name] != value]
    if differing:
        told = "; ".join(f"{name} was {before[name]!r}, is {guarded[name]!r}" for name in differing)
        raise UsageError(f"{path} cannot go on exactly: {told}\n  try: the values it had, or another folder")
    kept.load(held["model"], path)
    average.load(held["average"])
    if scaler.is_enabled() and held["scaler"]:
        scaler.load_state_dict(held["scaler"])
    return Progress.of(held["progress"])
