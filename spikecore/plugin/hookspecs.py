"""The hooks a plugin may implement: this file is the interface between spikecore and plugins.

Write `from spikecore import hookimpl`, decorate a function of the same name, and take any subset of the arguments.
Declaration hooks (`info`, `components`) must import no heavy module. Observer hooks may be wrappers.

Whatever a hook raises names its plugin. What an observer raises is a warning: the run goes on, and that hook is not
called again in it. Only `spikecore_run_start` may refuse a run, by a `SpikecoreError`, and `Interrupted` stops one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from spikecore.plugin.component import Component, PluginInfo, Weights

if TYPE_CHECKING:
    import click
    from cattrs import Converter

    from spikecore.data.kinds import Data
    from spikecore.plugin.executor import Executor
    from spikecore.plugin.run_info import ResultsFormat, RunInfo, Score
    from spikecore.plugin.sink import Sink, Target

PROJECT = "spikecore"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def spikecore_info() -> PluginInfo:  # type: ignore[empty-body]  # a specification has no body
    """Say what the plugin is and which API version it was written for.

    When: once, at admission, on this plugin alone. Result: one `PluginInfo`; required.
    """


@hookspec
def spikecore_components() -> Iterable[Component]:  # type: ignore[empty-body]  # a specification has no body
    """Declare the plugin's components, as a list or generator.

    When: once, at admission, on this plugin alone. Result: all components of all plugins are kept side by side under
    their ids "plugin/name"; an error in one refuses the whole plugin, and so do more than 10,000.
    """


@hookspec
def spikecore_converter(converter: Converter) -> None:
    """Register cattrs hooks for option types of your own.

    When: at admission, and again on a new converter when another plugin with this hook is admitted, so that a hook that
    fails leaves nothing behind. Result: ignored.
    """


@hookspec
def spikecore_add_commands(group: click.Group) -> None:
    """Add sub-commands to the `spikecore` command line.

    When: whenever the command line starts, after all plugins are admitted; import heavy modules inside the commands.
    Result: ignored. A command whose name exists already is left out with a warning that names both owners.
    """


@hookspec(firstresult=True)
def spikecore_resolve_weights(weights: Weights, component: Component, cache: Path) -> Path | None:
    """Find or fetch a weights file.

    When: on first use of `weights` by `component`. Result: the first path that is not None wins and is checked against
    the stated sha256; the core's own resolver (wheel, then cache) comes last.
    """


@hookspec(firstresult=True)
def spikecore_executor(name: str, workers: int, address: str) -> Executor | None:
    """Offer a way to do the items of a job elsewhere: on a cluster, in a queue.

    When: a command is given `--executor NAME`. Result: the first that is not None wins: a function called as
    `executor(work, items)` that gives a `spikecore.Outcome` for every item. `work` can be pickled; `Worker(work)` does
    items in any process that sees the same files and plugins.
    """


@hookspec(firstresult=True)
def spikecore_sink(target: Target, kind: Data) -> Sink | None:
    """Offer a way to write results: a file format, a store, a screen.

    When: an output is opened. Result: the first that is not None wins; the core's own formats come last.
    """


@hookspec(firstresult=True)
def spikecore_evaluate(experiment: Any, output: Path | None) -> Sequence[Score]:  # type: ignore[empty-body]
    """Judge the methods of an `Experiment` by its metrics over its source.

    When: `spikecore.evaluate` is called. Result: the first answer wins.
    """


@hookspec(firstresult=True)
def spikecore_results_format(path: Path) -> ResultsFormat | None:
    """Read or write a foreign file of results.

    When: results are imported from `path` or exported to it. Result: the first that is not None wins; the results
    plugin's own formats come last.
    """


@hookspec
def spikecore_run_start(run: RunInfo) -> None:
    """Observe the start of a run (reconstruction, evaluation, benchmark or training).

    When: before the first item. Result: ignored; all observers are called.
    """


@hookspec
def spikecore_step_end(run: RunInfo, step: int, values: Mapping[str, float]) -> None:
    """Observe one finished step: a batch reconstructed, a method judged on a recording, or one optimiser step.

    When: after step number `step` (1-based); `values` holds scalars such as loss parts or items done. Result: ignored.
    """


@hookspec
def spikecore_scores(run: RunInfo, scores: Sequence[Score]) -> None:
    """Observe measured values: of one recording, or of the whole run (`item` is "").

    When: as soon as they are known; a repeated (item, method, metric) replaces the older value. Result: ignored.
    """


@hookspec
def spikecore_epoch_end(run: RunInfo, epoch: int, scores: Mapping[str, float]) -> None:
    """Observe the end of an epoch or of one recording of many.

    When: after epoch number `epoch` (1-based), with its metric scores. Result: ignored.
    """


@hookspec
def spikecore_checkpoint_saved(run: RunInfo, path: Path) -> None:
    """Observe a checkpoint or output file that now has its final name.

    When: after the rename. Result: ignored.
    """


@hookspec
def spikecore_run_end(run: RunInfo, result: Mapping[str, object]) -> None:
    """Observe the end of a run, also after an error or Ctrl-C (`result["state"]` says: done, failed, interrupted).

    When: last. Result: ignored.
    """
