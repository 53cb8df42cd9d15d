"""The trainer `train/loop`: sets the scene for one training, and leaves everything as it was."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from spikecore import TrainResult, TrainRun, UsageError, tell_labels
from spikecore.files.held import held_folder
from spikecore_plugin_train.bank import check_bank
from spikecore_plugin_train.checkpoint import Store
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.group import Group, joined
from spikecore_plugin_train.interrupt import determinism, stop_requests
from spikecore_plugin_train.launched import claim
from spikecore_plugin_train.stages import needed_losses, restore_trainable, trainable_names
from spikecore_plugin_train.training import Training


class Loop:
    """Runs the stages of a recipe; see the README for what it promises.

    The same experiment gives the same training on one process or many: a batch is that of all processes together.
    """

    def __init__(self, config: LoopConfig) -> None:
        self.config = config

    def fit(self, run: TrainRun, /) -> TrainResult:
        """Train `run.model` in place.

        Raises:
            UsageError: If something is missing, the directory is in use, or holds a run and shall not be resumed.
            Diverged: If the loss is not a finite number.
            OutputError: If a checkpoint cannot be written.
            Interrupted: After a SIGTERM or Ctrl-C; a checkpoint was written.
        """
        config = self.config
        model: Any = run.model  # a Model is also an nn.Module
        needed_losses(run.stages, run.losses)
        check_bank(run)
        tell_labels(run.source, [model, *run.losses.values()])
        tell_labels(run.validation, run.metrics.values())
        with ExitStack() as scene:
            group = scene.enter_context(joined(config.device, config.timeout))
            _refuse_emptiness(run, config, group)
            scene.enter_context(determinism(config.deterministic))
            stop = scene.enter_context(stop_requests())
            if group.leads:
                scene.enter_context(held_folder(run.directory))
                _refuse_old_run(run)
                claim(run.directory)
            trainable = trainable_names(model)
            scene.callback(restore_trainable, model, trainable)
            return Training(config, run, group, stop, trainable).fit()


def _refuse_emptiness(run: TrainRun, config: LoopConfig, group: Group) -> None:
    if not run.stages:
        raise UsageError("a training needs stages; the model gives none and the experiment states no [[stage]]")
    if not len(run.source):
        raise UsageError("the training source holds no samples")
    if config.batch < group.size:
        raise UsageError(f"batch = {config.batch} cannot be shared by {group.size} processes; it counts all of them")


def _refuse_old_run(run: TrainRun) -> None:
    held = Store(run.directory, 1).paths()
    if run.resume == "never" and held:
        raise UsageError(
            f"{run.directory} holds a run already ({held[0].name})\n  try: --resume to go on, or another folder"
        )
    others = [*run.directory.glob("*.png"), *run.directory.glob("items")]
    if others:
        raise UsageError(f"{run.directory} holds {others[0].name} of another run\n  try: another folder")
