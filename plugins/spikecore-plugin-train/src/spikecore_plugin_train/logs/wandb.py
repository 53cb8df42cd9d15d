"""A training run for Weights & Biases: offline unless the environment holds a key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from spikecore import RunInfo, hookimpl

KEY = "WANDB_API_KEY"


class WandbLog:
    """Writes DIRECTORY/wandb. The key is left to the client, which reads it from the environment.

    Args:
        directory: Of the run.
        every: Steps between two entries.
    """

    def __init__(self, directory: Path, every: int) -> None:
        self.directory, self.every = directory, every
        self._run: Any = None
        self._step = 0

    @hookimpl
    def spikecore_run_start(self, run: RunInfo) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self._run = import_module("wandb").init(
            project="spikecore",
            name=run.title,
            id=run.id,
            resume="allow",
            config=dict(run.recipe),
            dir=str(self.directory),
            mode="online" if os.environ.get(KEY) else "offline",
        )

    @hookimpl
    def spikecore_step_end(self, step: int, values: Mapping[str, float]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self._step = step
        if step % self.every == 0 or step == 1:
            self._run.log(dict(values), step=step)

    @hookimpl
    def spikecore_epoch_end(self, scores: Mapping[str, float]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if scores:
            self._run.log(dict(scores), step=self._step)

    @hookimpl
    def spikecore_checkpoint_saved(self, path: Path) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if path.suffix == ".png":
            self._run.log({path.stem: import_module("wandb").Image(str(path))}, step=self._step)

    @hookimpl
    def spikecore_run_end(self, result: Mapping[str, object]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self._run.finish(exit_code=0 if result["state"] == "done" else 1)
