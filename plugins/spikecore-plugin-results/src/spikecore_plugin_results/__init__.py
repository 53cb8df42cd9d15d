"""The memory of what was measured: an observer that records runs, and `spikecore results`. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spikecore import PluginInfo, RunInfo, Score, hookimpl

if TYPE_CHECKING:
    import click

    from spikecore import ResultsFormat

KINDS = ("evaluate", "bench", "train")
"""Kinds of run that are recorded; a reconstruction measures nothing."""


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("remembers every evaluation, benchmark and training in one SQLite file", license="MIT")


@hookimpl
def spikecore_add_commands(group: click.Group) -> None:
    """See `spikecore.plugin.hookspecs`."""
    from spikecore_plugin_results.commands import results

    group.add_command(results)


@hookimpl(trylast=True)
def spikecore_results_format(path: Path) -> ResultsFormat | None:
    """See `spikecore.plugin.hookspecs`."""
    if path.name != "experiment_results.json":
        return None
    from spikecore_plugin_results.tracker import Tracker

    return Tracker()


@hookimpl
def spikecore_run_start(run: RunInfo) -> None:
    """See `spikecore.plugin.hookspecs`."""
    if run.kind in KINDS:
        from spikecore_plugin_results.store import Results

        Results().start(run.kind, run.name, run.recipe, str(run.recipe.get("fingerprint", "")), run.id)


@hookimpl
def spikecore_scores(run: RunInfo, scores: Sequence[Score]) -> None:
    """See `spikecore.plugin.hookspecs`."""
    if run.kind in KINDS:
        from spikecore_plugin_results.store import Results

        Results().add(run.id, scores)


@hookimpl
def spikecore_checkpoint_saved(run: RunInfo, path: Path) -> None:
    """See `spikecore.plugin.hookspecs`. Checkpoints of a training come and go; its weights stay."""
    if run.kind in KINDS and (run.kind != "train" or path.suffix == ".safetensors"):
        from spikecore import file_hash
        from spikecore_plugin_results.store import Results

        Results().add_artefact(run.id, path.resolve(), file_hash(path))


@hookimpl
def spikecore_run_end(run: RunInfo, result: Mapping[str, object]) -> None:
    """See `spikecore.plugin.hookspecs`."""
    if run.kind in KINDS:
        from spikecore_plugin_results.store import Results

        Results().finish(run.id, str(result["state"]))
