"""Methods judged, compared and timed: evaluate, compare, bench, demo. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spikecore import Experiment, PluginInfo, Score, hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo(
        "methods judged by metrics, compared side by side, timed: evaluate, compare, bench, demo", license="MIT"
    )


@hookimpl
def spikecore_evaluate(experiment: Experiment, output: Path | None) -> Sequence[Score]:
    """See `spikecore.plugin.hookspecs`."""
    from spikecore_plugin_evaluate.evaluation import evaluate

    return evaluate(experiment, output)


@hookimpl
def spikecore_add_commands(group: click.Group) -> None:
    """See `spikecore.plugin.hookspecs`."""
    from spikecore_plugin_evaluate.commands.bench import bench
    from spikecore_plugin_evaluate.commands.compare import compare
    from spikecore_plugin_evaluate.commands.demo import demo
    from spikecore_plugin_evaluate.commands.evaluate import evaluate

    for command in (demo, compare, evaluate, bench):
        group.add_command(command)
