"""`spikecore evaluate`: methods and metrics over a data set, into tables and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikecore import Experiment, PluginHost, UsageError, experiment_table, find_executor, override
from spikecore.cli import get_host
from spikecore.cli.options import instant_options, job_options, method_table, source_options, source_table, take_run
from spikecore.cli.progress import show_progress
from spikecore.cli.tables import to_json
from spikecore_plugin_evaluate.commands.report import complain, show, show_reasons

if TYPE_CHECKING:
    from spikecore_plugin_evaluate.judgement import Judgement


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "-m", "--method", "methods", multiple=True, metavar="ID", help="e.g. -m 'classic/tfi rule=ssml'; repeat it"
)
@click.option("--metric", "metrics", multiple=True, metavar="ID", help="e.g. --metric builtin/psnr; repeat it")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="folder for tables and pictures; evaluate-NAME")
@source_options
@instant_options
@job_options
@click.option("-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="e.g. --set source.seed=3")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def evaluate(
    path: Path,
    methods: tuple[str, ...],
    metrics: tuple[str, ...],
    output: Path | None,
    workers: int,
    executor: str,
    address: str,
    settings: tuple[str, ...],
    as_json: bool,
    **values: Any,
) -> None:
    """Methods and metrics over a data set: tables, and pictures side by side with error maps.

    PATH is an experiment (.toml, .json) with [source], methods and [[metric]], or a recording or folder of them, judged
    by the -m and --metric given; at the instant of their ground truth, unless --at names another. What is done is
    kept: the same command goes on where it was stopped.
    """
    from spikecore.files.inputs import Inputs
    from spikecore_plugin_evaluate.folder import TABLES, evaluate_into, older_files

    host = get_host()
    experiment = _experiment(host, path, methods, metrics, settings, values)
    folder = output or Path(f"evaluate-{experiment.name}")
    Inputs([path]).refuse(*(folder / name for name in TABLES))
    show_progress(host)
    judged = evaluate_into(folder, experiment, find_executor(host, executor, workers, address))
    _report(judged, folder, as_json)
    if older := older_files(folder, judged):
        click.echo(f"{folder} also keeps {older} files of another evaluation, in pictures/ and items/", err=True)
    complain(judged)


def _experiment(
    host: PluginHost,
    path: Path,
    methods: tuple[str, ...],
    metrics: tuple[str, ...],
    settings: tuple[str, ...],
    values: dict[str, Any],
) -> Experiment:
    run = take_run(values)
    extra = {"method": [method_table(text) for text in methods], "metric": [method_table(text) for text in metrics]}
    if path.suffix in (".toml", ".json"):
        if any(value is not None and value != () for value in values.values()):
            raise UsageError(f"{path} states its own source; use --set source.KEY=VALUE")
        table = experiment_table(path, settings)
        table["run"] = {**table.get("run", {}), **run}
        for role, entries in extra.items():
            table[role] = [*table.get(role, []), *entries]
        return Experiment.from_dict(table, host)
    if not methods:
        raise UsageError("give the methods to judge, for example -m classic/tfp -m classic/tfi")
    table = {"name": path.stem, "source": source_table(host, path, values), **extra, "run": run}
    return Experiment.from_dict(override(table, settings), host)


def _report(judged: list[Judgement], folder: Path, as_json: bool) -> None:
    from spikecore_plugin_evaluate.summary import summarise, table

    scores = [score for one in judged for score in one.scores]
    if as_json:
        click.echo(to_json(*table(scores)), nl=False)
        return
    header, rows = table(scores, each=len(judged) > 1)
    if rows:
        show(header, rows)
    show_reasons(summarise(scores))
    click.echo(f"\n{folder}: scores.csv, means.md, pictures/, run.json", err=True)
