"""`spikecore results`: every recorded run, best marked, compared, exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spikecore import GROUND_TRUTH, OutputError, ResultsFormat, Score, UsageError
from spikecore.cli import get_host
from spikecore.cli.tables import FORMATS, cell_text, print_table
from spikecore_plugin_results.store import Results, Run


@click.group(invoke_without_command=True)
@click.option("--store", type=click.Path(path_type=Path), help="the results file; .spikecore/results.sqlite by default")
@click.option("--kind", help="only evaluate, bench, train … runs")
@click.option("--sort", metavar="METRIC", help="best of this metric first, instead of newest first")
@click.pass_context
def results(context: click.Context, store: Path | None, kind: str | None, sort: str | None) -> None:
    """Every recorded run: run-level values, the best of each metric on the same data marked with *."""
    context.obj = Results(store)
    if context.invoked_subcommand is None:
        header, rows = overview(context.obj, kind, sort)
        if not rows:
            click.echo(f"no runs in {context.obj.path}", err=True)
            return
        print_table(header, rows)


def overview(store: Results, kind: str | None = None, sort: str | None = None) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the list: one row per run and method.

    `*` marks the best value of each metric among the methods that were measured on the same data; the ground truth is
    none of them, and comes last where rows are sorted.
    """
    runs = {run.id: run for run in store.runs(kind)}
    cells: dict[tuple[str, str], dict[str, Score]] = {}
    for id, score in store.scores():
        if id in runs and not score.item:
            cells.setdefault((id, score.method), {})[score.metric] = score
    metrics = list(dict.fromkeys(name for row in cells.values() for name in row))
    if sort is not None and sort not in metrics:
        raise UsageError(f"no run-level values of {sort!r}; there are {', '.join(metrics) or 'none'}")
    data = {id: run.data for id, run in runs.items()}
    rivals: dict[tuple[str, str], list[Score]] = {}
    for (id, method), row in cells.items():
        for name, score in row.items() if method != GROUND_TRUTH else ():
            rivals.setdefault((data[id], name), []).append(score)
    best = {key: _best(scores) for key, scores in rivals.items()}
    order = [key for id in runs for key in cells if key[0] == id]
    if sort is not None:
        order.sort(key=lambda key: (key[1] == GROUND_TRUTH, _rank(cells[key].get(sort))))
    table = []
    for id, method in order:
        marks = [None if method == GROUND_TRUTH else best.get((data[id], name)) for name in metrics]
        values = [_cell(cells[id, method].get(name), mark) for name, mark in zip(metrics, marks, strict=True)]
        table.append([*_about(runs[id]), method, data[id], *values])
    empty = [run for run in runs.values() if not any(id == run.id for id, _ in cells)]
    table += [[*_about(run), "-", data[run.id], *["-"] * len(metrics)] for run in empty]
    return ["run", "kind", "name", "started", "state", "method", "data", *metrics], table


def _about(run: Run) -> list[str]:
    return [run.id[:8], run.kind, run.name, run.started[:16].replace("T", " "), run.state]


def _rank(score: Score | None) -> tuple[bool, float]:
    if score is None or score.value is None:
        return True, 0.0
    return False, -score.value if score.higher_is_better else score.value


def _best(scores: list[Score]) -> float | None:
    known = [score for score in scores if score.value is not None and score.higher_is_better is not None]
    return min(known, key=_rank).value if known else None


def _cell(score: Score | None, best: float | None) -> str:
    if score is None:
        return "-"
    return cell_text(score.value) + (" *" if score.value is not None and score.value == best else "")


@results.command()
@click.argument("run")
@click.pass_obj
def show(store: Results, run: str) -> None:
    """One run: recipe and every value."""
    import json

    found = store.find(run)
    click.echo(f"{found.id}\n{found.kind} {found.name}: {found.state}, {found.started} to {found.finished}\n")
    print_table(
        ["item", "method", "metric", "value", "why not"],
        [[s.item or "(run)", s.method, s.metric, cell_text(s.value), s.reason] for _, s in store.scores(found.id)],
    )
    for path, digest in store.artefacts(found.id).items():
        click.echo(f"{digest[:12]}  {path}")
    click.echo(json.dumps(found.recipe, indent=2))


@results.command()
@click.argument("first")
@click.argument("second")
@click.pass_obj
def compare(store: Results, first: str, second: str) -> None:
    """Two runs side by side: values that both have, and the difference."""
    runs = [store.find(first), store.find(second)]
    values: list[dict[tuple[str, str, str], Any]] = [
        {(s.item, s.method, s.metric): s.value for _, s in store.scores(run.id)} for run in runs
    ]
    both = [key for key in values[0] if key in values[1]]
    rows = []
    for item, method, metric in both:
        one, other = (held[item, method, metric] for held in values)
        change = None if one is None or other is None else other - one
        rows.append([item or "(run)", method, metric, *map(cell_text, (one, other, change))])
    print_table(["item", "method", "metric", runs[0].id[:8], runs[1].id[:8], "change"], rows)
    if not both:
        click.echo("the two runs have no value in common", err=True)


@results.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def export(store: Results, path: Path) -> None:
    """All values to .csv, .json or .md; or to a format that a plugin knows, by the file's name."""
    from spikecore.files.atomic import write_text
    from spikecore.files.inputs import Inputs

    Inputs([store.path]).refuse(path)
    foreign = _foreign(path)
    if foreign is not None:
        click.echo(f"{path}: {foreign.write(store.recorded(), path)} runs")
        return
    if path.suffix not in FORMATS:
        known = f"{', '.join(FORMATS)}, or to a file that a plugin knows by its name, e.g. experiment_results.json"
        raise OutputError(f"{path}: values are exported to {known}")
    runs = {run.id: run for run in store.runs()}
    header = ["run", "kind", "name", "started", "state", "item", "method", "metric", "value", "reason"]
    rows = [
        [id, run.kind, run.name, run.started, run.state, s.item, s.method, s.metric, s.value, s.reason]
        for id, s in store.scores()
        if (run := runs.get(id)) is not None
    ]
    write_text(path, FORMATS[path.suffix](header, rows))
    click.echo(f"{path}: {len(rows)} values of {len(runs)} runs")


@results.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def import_(store: Results, path: Path) -> None:
    """Runs of a file that a plugin knows by its name, e.g. experiment_results.json of SpikeCLIP's tracker."""
    foreign = _foreign(path)
    if foreign is None:
        raise UsageError(f"{path}: no installed plugin knows results of this name, e.g. experiment_results.json")
    click.echo(f"{len(store.take(foreign.read(path)))} runs imported into {store.path}")


def _foreign(path: Path) -> ResultsFormat | None:
    found: ResultsFormat | None = get_host().hook.spikecore_results_format(path=path)
    return found
