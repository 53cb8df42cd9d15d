"""The logs that the trainer was asked for; they hear of a training beside the plugins of the run's host."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from spikecore import PluginError, TrainRun
from spikecore_plugin_train.config import Log, LoopConfig

_MODULES = {Log.TENSORBOARD: "tensorboardX", Log.WANDB: "wandb"}
_LOGS = {Log.CSV: "table:CsvLog", Log.TENSORBOARD: "tensorboard:TensorboardLog", Log.WANDB: "wandb:WandbLog"}


def logs(config: LoopConfig, run: TrainRun) -> list[Any]:
    """The logs that the options name, as observers of this run.

    Raises:
        PluginError: If the library of one is not installed.
    """
    for log in config.logs:
        module = _MODULES.get(log)
        if module is not None and find_spec(module) is None:
            raise PluginError(
                f"logs = [{log.value!r}] needs the module {module}, which is not installed\n"
                f"  try: pip install 'spikecore-plugin-train[{log.value}]'"
            )
    return [_built(log, config, run) for log in config.logs]


def _built(log: Log, config: LoopConfig, run: TrainRun) -> Any:
    module, _, name = _LOGS[log].partition(":")
    kind = getattr(import_module(f"spikecore_plugin_train.logs.{module}"), name)
    return kind(run.directory, config.log_every)
