"""Who hears of a training: the plugins of the run's host, and the logs that the trainer was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spikecore import PluginHost
from spikecore.errors import PluginError
from spikecore.interfaces import TrainRun
from spikecore.observe import RunInfo
from spikecore_plugin_train.config import Log, LoopConfig

_MODULES = {Log.TENSORBOARD: "tensorboardX", Log.WANDB: "wandb"}
_LOGS = {Log.CSV: "table:CsvLog", Log.TENSORBOARD: "tensorboard:TensorboardLog", Log.WANDB: "wandb:WandbLog"}


class Observers:
    """Calls the observer hooks of several hosts; of none in processes that do not write."""

    def __init__(self, hosts: Sequence[PluginHost], info: RunInfo) -> None:
        self.hosts, self.info = hosts, info

    def start(self) -> None:
        """The run starts."""
        for host in self.hosts:
            host.hook.spikecore_run_start(run=self.info)

    def step(self, step: int, values: Mapping[str, float]) -> None:
        """Optimiser step number `step` (from 1, over all stages) was taken."""
        for host in self.hosts:
            host.hook.spikecore_step_end(run=self.info, step=step, values=values)

    def epoch(self, epoch: int, scores: Mapping[str, float]) -> None:
        """An epoch or a validation in the middle of one has ended."""
        for host in self.hosts:
            host.hook.spikecore_epoch_end(run=self.info, epoch=epoch, scores=scores)

    def saved(self, path: Path) -> None:
        """A checkpoint, weights file or picture has its final name."""
        for host in self.hosts:
            host.hook.spikecore_checkpoint_saved(run=self.info, path=path)

    def end(self, result: Mapping[str, Any]) -> None:
        """The run has ended, well or not."""
        for host in self.hosts:
            host.hook.spikecore_run_end(run=self.info, result=result)


def logs_host(config: LoopConfig, run: TrainRun) -> PluginHost:
    """A host of its own with the logs that the options name.

    Raises:
        PluginError: If the library of one is not installed.
    """
    host = PluginHost()
    for log in config.logs:
        module = _MODULES.get(log)
        if module is not None and find_spec(module) is None:
            raise PluginError(
                f"logs = [{log.value!r}] needs the module {module}, which is not installed\n"
                f"  try: pip install 'spikecore-plugin-train[{log.value}]'"
            )
        host.register(_built(log, config, run), log.value)
    return host


def _built(log: Log, config: LoopConfig, run: TrainRun) -> Any:
    if log is Log.RESULTS:
        from spikecore_plugin_train.logs.store import ResultsLog

        return ResultsLog({name: metric.higher_is_better for name, metric in run.metrics.items()})
    module, _, name = _LOGS[log].partition(":")
    kind = getattr(import_module(f"spikecore_plugin_train.logs.{module}"), name)
    return kind(run.directory, config.log_every)
