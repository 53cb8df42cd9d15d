"""Progress of runs: a bar on a terminal, a line every few seconds otherwise. An observer like any plugin's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import click

from spikecore.cli.terminal import cleaned, uncleaned
from spikecore.plugin.component import PluginInfo
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.plugin.run_info import RunInfo

CHECKPOINTS = (".pt", ".safetensors")
"""Files worth a line of their own; outputs are listed when a command ends."""


def show_progress(host: PluginHost) -> None:
    """Let this host's runs be seen on the terminal."""
    if "progress" not in host.statuses:
        host.register(Progress(), "progress")


class Progress:
    """Shows what a run does, on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._said = 0.0
        self._began = 0.0

    @hookimpl
    def spikecore_info(self) -> PluginInfo:
        """See `spikecore.plugin.hookspecs`."""
        return PluginInfo("progress on the terminal", license="MIT")

    @hookimpl
    def spikecore_run_start(self, run: RunInfo) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self._began = self._said = monotonic()
        if sys.stderr is None or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(file=uncleaned(sys.stderr)), transient=True)
        self._bar.start()
        self._task = self._bar.add_task(escape(cleaned(run.title)), total=run.total)

    @hookimpl
    def spikecore_step_end(self, run: RunInfo, step: int) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if self._bar is not None:
            self._bar.update(self._task, completed=step)
        elif monotonic() - self._said > 5:
            self._said = monotonic()
            click.echo(f"{run.title}: {step} of {run.total or '?'}", err=True)

    @hookimpl
    def spikecore_checkpoint_saved(self, run: RunInfo, path: Path) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if path.suffix in CHECKPOINTS and self._bar is None:
            click.echo(f"{run.title}: saved {path}", err=True)

    @hookimpl
    def spikecore_run_end(self, run: RunInfo, result: Mapping[str, object]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
