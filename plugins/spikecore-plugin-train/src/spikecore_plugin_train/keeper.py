"""Keeps a training: takes it up from its newest checkpoint, writes checkpoints, exports weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from spikecore import SpikeFormatError, TrainRun
from spikecore_plugin_train import randomness
from spikecore_plugin_train.average import Average
from spikecore_plugin_train.checkpoint import Store
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.export import export
from spikecore_plugin_train.group import Group
from spikecore_plugin_train.kept import Kept
from spikecore_plugin_train.progress import Progress
from spikecore_plugin_train.snapshot import guard, restored, snapshot


class Keeper:
    """The files of one training; all processes call it, process 0 writes.

    Args:
        run: What is trained, and where its files go.
        config: How many checkpoints stay, and what must not change.
        group: The processes that train together.
        kept: The tensors of the model that checkpoints hold.
        average: Of them.
        scaler: Of the loss.
        best: The metric that says what is best.
    """

    def __init__(
        self,
        run: TrainRun,
        config: LoopConfig,
        group: Group,
        kept: Kept,
        average: Average,
        scaler: torch.amp.GradScaler,
        best: str,
    ) -> None:
        self.run, self.group, self.kept, self.average, self.scaler = run, group, kept, average, scaler
        self.guard = guard(run, config, best, kept.digest)
        self.store = Store(run.directory, config.keep)

    @property
    def newest(self) -> Path | None:
        """The newest checkpoint."""
        return next(iter(self.store.paths()), None)

    def resume(self) -> tuple[Progress, dict[str, Any] | None]:
        """Where to go on, and the state of the optimiser there; everything else is restored.

        Raises:
            SpikeFormatError: If checkpoints are there and none can be read, or processes see different ones.
            UsageError: If the checkpoint is of another training.
        """
        if self.group.leads:
            self.store.tidy()
        found = self.store.newest() if self.run.resume == "auto" else None
        step = torch.tensor(-1 if found is None else int(found[1]["progress"]["step"]))
        steps = {int(held["step"]) for held in self.group.gather({"step": step})}
        if len(steps) > 1:
            hint = "all processes must see one and the same folder"
            raise SpikeFormatError(self.store.folder, f"checkpoints of different steps: {sorted(steps)}", hint=hint)
        if found is None:
            return Progress(), None
        path, held = found
        progress = restored(held, path, self.guard, self.kept, self.average, self.scaler)
        states = held["random"]
        if self.group.rank < len(states):  # of processes that are new, the seeded generators stay
            randomness.restore(states[self.group.rank], self.group.device)
        return progress, held["optimiser"]

    def save(self, progress: Progress, optimiser: torch.optim.Optimizer, best: bool = False) -> list[Path]:
        """Write a checkpoint, and the weights too if they are the best so far; returns what this process wrote."""
        states = self.group.gather(randomness.capture(self.group.device))
        if not self.group.leads:
            return []
        path = self.store.best if best else self.store.path(progress.step)
        self.kept.refuse_changes()
        parts = (self.kept, self.average, optimiser, self.scaler)
        self.store.save(path, snapshot(progress, self.guard, parts, states, self.run.recipe))
        return [path, *(self.export("best", progress) if best else [])]

    def export(self, name: str, progress: Progress) -> list[Path]:
        """Write the (averaged) weights as NAME.safetensors; returns what this process wrote."""
        if not self.group.leads:
            return []
        experiment = self.run.recipe.get("experiment", {})
        training = f"{progress.step} steps of {json.dumps(experiment, sort_keys=True)}"
        path = self.run.directory / f"{name}.safetensors"
        with self.average.applied():
            return [export(self.run.model, path, experiment.get("model", {}), training, progress.scores)]
