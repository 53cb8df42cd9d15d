"""`spikecore reconstruct` and `run`: recordings through a method into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click

from spikecore.cli import get_host
from spikecore.cli.options import job_options, method_table, run_options, source_options, source_table, take_run
from spikecore.cli.progress import show_progress
from spikecore.errors import SpikecoreError, UsageError
from spikecore.experiment.experiment import Experiment
from spikecore.experiment.toml import override
from spikecore.files.held import held_folder
from spikecore.files.inputs import Inputs
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.host import PluginHost
from spikecore.weights.settle import settled

ACTION = "spikecore.runner.execute:Reconstruction"


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-m", "--method", required=True, metavar="ID", help="a reconstructor or model, see spikecore list")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="video, .png, .npy, .h5, .csv, .json or a folder")
@source_options
@run_options
@job_options
@click.option(
    "-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="option of the method, or table.key=value"
)
def reconstruct(path: Path, method: str, output: Path | None, settings: tuple[str, ...], **values: Any) -> None:
    """A recording through a method into pictures or a video.

    Without --at, every instant that has the frames the method needs is reconstructed, one every --stride frames.
    Results are intensities (spikes per frame × gain) clipped to [0, 1].
    """
    host = get_host()
    how = (values.pop("executor"), values.pop("workers"), values.pop("address"))
    chosen = method_table(method)
    component = host.find(chosen["use"], Kind.RECONSTRUCTOR, Kind.MODEL)
    kind = component.kind
    table: dict[str, Any] = {"source": source_table(host, path, values), str(kind): chosen}
    table["run"] = take_run(values)
    table["run"]["output"] = str(output or _default_output(path, component, table["run"]))
    table = override(table, [setting if _dotted(setting) else f"{kind}.{setting}" for setting in settings])
    execute_and_report(host, Experiment.from_dict(table, host), how)


def _dotted(setting: str) -> bool:
    return setting.partition("=")[0].partition(".")[0] in {"source", "reconstructor", "model", "run"} and "." in setting


def _default_output(path: Path, component: Component, run: dict[str, Any]) -> Path:
    kind = run.get("result") or next(iter(component.produces), "")
    suffix = {"label": ".csv", "flow": ".npy", "features": ".npy"}.get(kind, ".png" if "at" in run else ".mp4")
    return Path(f"{path.stem}{suffix}")


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path))
@click.option("-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="e.g. --set model.width=64")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="as run.output")
@click.option("--check", is_flag=True, help="only check that everything fits; imports no torch")
def run(experiment: Path, settings: tuple[str, ...], output: Path | None, check: bool) -> None:
    """An experiment file, or the run.json of an earlier run."""
    host = get_host()
    bound = Experiment.from_file(experiment, host, settings)
    if output is not None:
        bound = attrs.evolve(bound, run=attrs.evolve(bound.run, output=str(output)))
    if check:
        settled(bound)  # raises where named weights need other options
        click.echo(f"{experiment}: {', '.join(part.component.id for part in bound.parts.values())} fit together")
        return
    if bound.run.output is None:
        raise UsageError(f"{experiment} has no run.output\n  try: --output out.mp4, or spikecore evaluate {experiment}")
    Inputs([experiment]).refuse(Path(bound.run.output))  # its record may be the experiment: that is written anew
    execute_and_report(host, bound)


def execute_and_report(host: PluginHost, experiment: Experiment, how: tuple[str, int, str] = ("local", 1, "")) -> None:
    """Run an experiment with progress, then say what was written."""
    from spikecore.jobs.job import find_executor
    from spikecore.runner.execute import execute

    if how[0] != "local":
        find_executor(host, *how)  # one that is not there is an error for one recording too
    show_progress(host)
    if how[:2] != ("local", 1) and (count := _count(experiment)) > 1:
        _many(settled(experiment), count, how)
        return
    summary = execute(experiment)
    for path in summary.outputs:
        click.echo(str(path))
    speed = summary.results / max(summary.seconds, 1e-9)
    click.echo(f"{summary.results} results in {summary.seconds:.2f} s ({speed:.1f} per second)", err=True)


def _count(experiment: Experiment) -> int:
    source = experiment.parts.get("source")
    return 0 if source is None else len(source.build())


def _many(experiment: Experiment, count: int, how: tuple[str, int, str]) -> None:
    from spikecore.jobs.job import Job, find_executor, run_job
    from spikecore.runner.inputs import recipe_of

    output = Path(experiment.run.output or "")
    folder = output.with_name(f"{output.stem}-items") if output.suffix else output
    job = Job.of(ACTION, experiment, recipe_of(experiment, output, [folder]), folder)
    failures = []
    with held_folder(folder):
        for outcome in run_job(job, range(count), find_executor(experiment.host, *how)):
            if outcome.result is None:
                failures.append(f"  {outcome.item}: {outcome.reason}")
            else:
                click.echo(outcome.result["output"])
    if failures:
        raise SpikecoreError("\n".join([f"{len(failures)} recordings failed, the others are done:", *failures]))
