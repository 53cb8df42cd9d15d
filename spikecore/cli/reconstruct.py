"""`spikecore reconstruct` and `run`: recordings through a method into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click

from spikecore.cli import get_host
from spikecore.cli.options import method_table, run_options, source_options, source_table, take
from spikecore.cli.progress import Progress
from spikecore.component import Kind
from spikecore.config import override
from spikecore.errors import UsageError
from spikecore.experiment import Experiment, RunConfig
from spikecore.host import PluginHost


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-m", "--method", required=True, metavar="ID", help="a reconstructor or model, see spikecore list")
@click.option("-o", "--output", type=click.Path(path_type=Path), help=".mp4 .webm .avi .png .npy .h5 or a folder")
@source_options
@run_options
@click.option("--at", type=int, help="one instant (frame number)")
@click.option("--start", type=int, help="first instant of a video")
@click.option("--stop", type=int, help="the video ends before this instant")
@click.option("--stride", type=int, help="spike frames between two pictures")
@click.option("--fps", type=float, help="frames per second of the video (30)")
@click.option("--bits", type=int, help="8 or 16 bits per value of PNG files")
@click.option("--batch", type=int, help="instants computed together")
@click.option(
    "-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="option of the method, or table.key=value"
)
def reconstruct(path: Path, method: str, output: Path | None, settings: tuple[str, ...], **values: Any) -> None:
    """A recording through a method into pictures or a video.

    Without --at, every instant that has the frames the method needs is reconstructed, one every --stride frames.
    Results are intensities (spikes per frame × gain) clipped to [0, 1].
    """
    host = get_host()
    chosen = method_table(method)
    kind = host.find(chosen["use"], Kind.RECONSTRUCTOR, Kind.MODEL).kind
    table: dict[str, Any] = {"source": source_table(host, path, values), str(kind): chosen}
    table["run"] = take(values, *[field.name for field in attrs.fields(RunConfig) if field.name in values])
    table["run"]["output"] = str(output or _default_output(path, table["run"]))
    table = override(table, [setting if _dotted(setting) else f"{kind}.{setting}" for setting in settings])
    execute_and_report(host, Experiment.from_dict(table, host))


def _dotted(setting: str) -> bool:
    return setting.partition("=")[0].partition(".")[0] in {"source", "reconstructor", "model", "run"} and "." in setting


def _default_output(path: Path, run: dict[str, Any]) -> Path:
    return Path(f"{path.stem}.png" if "at" in run else f"{path.stem}.mp4")


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path))
@click.option("-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="e.g. --set model.width=64")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="as run.output")
@click.option("--check", is_flag=True, help="only check that everything fits; imports no torch")
def run(experiment: Path, settings: tuple[str, ...], output: Path | None, check: bool) -> None:
    """An experiment file, or the run.json of an earlier run."""
    host = get_host()
    if output is not None:
        settings = (*settings, f"run.output='{output}'")
    bound = Experiment.from_file(experiment, host, settings)
    if check:
        click.echo(f"{experiment}: {', '.join(part.component.id for part in bound.parts.values())} fit together")
        return
    if bound.run.output is None and not bound.many("metric"):
        raise UsageError(f"{experiment} has neither run.output nor a [[metric]]\n  try: --output out.mp4")
    if bound.run.output is not None:
        execute_and_report(host, bound)
    if bound.many("metric"):
        from spikecore.scores import mean_scores, scores

        rows = scores(bound)
        for row in rows:
            click.echo("  ".join([row.key, *(f"{name} {value:.4f}" for name, value in row.values.items())]))
        if len(rows) > 1:
            click.echo("  ".join(["mean", *(f"{name} {value:.4f}" for name, value in mean_scores(rows).items())]))


def execute_and_report(host: PluginHost, experiment: Experiment) -> None:
    """Run an experiment with progress, then say what was written."""
    from spikecore.run import execute

    if "progress" not in host.statuses:
        host.register(Progress(), "progress")
    summary = execute(experiment)
    for path in summary.outputs:
        click.echo(str(path))
    speed = summary.results / max(summary.seconds, 1e-9)
    click.echo(f"{summary.results} results in {summary.seconds:.2f} s ({speed:.1f} per second)", err=True)
