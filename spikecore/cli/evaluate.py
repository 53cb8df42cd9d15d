"""`spikecore evaluate`: methods and metrics over a data set, into a table, pictures and the results store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from spikecore.cli import get_host
from spikecore.cli.options import job_options, method_table, run_options, source_options, source_table, take
from spikecore.cli.progress import show_progress
from spikecore.cli.show_table import print_table
from spikecore.config import override
from spikecore.errors import Interrupted, OutputError, SpikecoreError, UsageError
from spikecore.experiment import Experiment, RunConfig
from spikecore.host import PluginHost
from spikecore.observe import RunInfo

if TYPE_CHECKING:
    from spikecore.evaluation import Judgement
    from spikecore.results import Results


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "-m", "--method", "methods", multiple=True, metavar="ID", help="e.g. -m 'classic/tfi rule=ssml'; repeat it"
)
@click.option("--metric", "metrics", multiple=True, metavar="ID", help="e.g. --metric builtin/psnr; repeat it")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="folder for tables and pictures; evaluate-NAME")
@source_options
@run_options
@click.option("--at", type=int, help="the instant to judge; the one of the ground truth by default")
@job_options
@click.option("-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="e.g. --set source.seed=3")
@click.option("--store", type=click.Path(path_type=Path), help="the results file; .spikecore/results.sqlite by default")
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
    store: Path | None,
    as_json: bool,
    **values: Any,
) -> None:
    """Methods and metrics over a data set: table, pictures side by side with error maps, results store.

    PATH is an experiment (.toml, .json) with [source], methods and [[metric]], or a recording or folder of them, judged
    by the -m and --metric given. What is done is kept: the same command goes on where it was stopped.
    """
    host = get_host()
    experiment = _experiment(host, path, methods, metrics, settings, values)
    folder = output or Path(f"evaluate-{experiment.name}")
    show_progress(host)
    judged = _evaluate(host, experiment, folder, (executor, workers, address), store)
    _report(judged, folder, as_json)
    _complain(judged)


def _experiment(
    host: PluginHost,
    path: Path,
    methods: tuple[str, ...],
    metrics: tuple[str, ...],
    settings: tuple[str, ...],
    values: dict[str, Any],
) -> Experiment:
    run = take(values, *[field.name for field in attrs.fields(RunConfig) if field.name in values])
    extra = {"method": [method_table(text) for text in methods], "metric": [method_table(text) for text in metrics]}
    if path.suffix in (".toml", ".json"):
        if any(value is not None and value != () for value in values.values()):
            raise UsageError(f"{path} states its own source; use --set source.KEY=VALUE")
        experiment = Experiment.from_file(path, host, settings)
        table = experiment.dump()
        table["run"] |= run
        for role, entries in extra.items():
            table[role] = [*table.get(role, []), *entries]
        return Experiment.from_dict(table, host)
    if not methods:
        raise UsageError("give the methods to judge, for example -m classic/tfp -m classic/tfi")
    table = {"name": path.stem, "source": source_table(host, path, values), **extra, "run": run}
    return Experiment.from_dict(override(table, settings), host)


def _evaluate(
    host: PluginHost, experiment: Experiment, folder: Path, how: tuple[str, int, str], store: Path | None
) -> list[Judgement]:
    from spikecore.evaluation import Judgement
    from spikecore.inputs import describe
    from spikecore.jobs import Job, find_executor, run_job
    from spikecore.record import write_record
    from spikecore.results import Results

    items = _count(experiment)
    executor = find_executor(host, *how)
    recipe = describe(experiment, None, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be a folder for results: {error.strerror}; give -o FOLDER") from error
    write_record(folder, recipe)
    results = Results(store)
    id = results.start("evaluate", experiment.name, recipe, recipe["fingerprint"])
    held: dict[int, Judgement] = {}
    state = "failed"
    info = RunInfo("evaluate", f"evaluate {experiment.name}", items, recipe)
    try:
        host.hook.spikecore_run_start(run=info)
        for outcome in run_job(Job.of("evaluate", experiment, folder), range(items), executor):
            held[outcome.item] = Judgement.of(experiment, outcome)
            results.add(id, held[outcome.item].scores)
            host.hook.spikecore_step_end(run=info, step=len(held), values={})
        judged = [held[item] for item in sorted(held)]
        _write(results, id, judged, folder)
        state = "done" if any(score.value is not None for one in judged for score in one.scores) else "failed"
        return judged
    except KeyboardInterrupt:
        state = "interrupted"
        raise Interrupted(f"{len(held)} of {items} recordings are judged; the same command goes on") from None
    finally:
        results.finish(id, state)
        host.hook.spikecore_run_end(run=info, result={"state": state, "results": len(held)})


def _count(experiment: Experiment) -> int:
    source = experiment.parts.get("source")
    if source is None or not experiment.methods:
        raise UsageError("an evaluation needs [source] and at least one method: [reconstructor], [model] or [[method]]")
    for bound in (experiment.methods, experiment.many("metric")):
        labels = [one.label for one in bound]
        if len(set(labels)) < len(labels):
            raise UsageError(f"{max(labels, key=labels.count)!r} is given twice")
    return len(source.build())


def _write(results: Results, id: str, judged: list[Judgement], folder: Path) -> None:
    from spikecore.evaluation import summarise, table
    from spikecore.output import write_text
    from spikecore.tables import FORMATS
    from spikecore.weights import file_hash

    scores = [score for one in judged for score in one.scores]
    results.add(id, summarise(scores))
    for suffix, write in FORMATS.items():
        write_text(folder / f"means{suffix}", write(*table(scores, each=False)))
        write_text(folder / f"scores{suffix}", write(*table(scores, means=False)))
    pictures = [Path(one.output) for one in judged if one.output]
    for path in [folder / "means.csv", folder / "scores.csv", *pictures]:
        results.add_artefact(id, path.resolve(), file_hash(path))


def _report(judged: list[Judgement], folder: Path, as_json: bool) -> None:
    from spikecore.evaluation import summarise, table
    from spikecore.tables import cell_text, to_json

    scores = [score for one in judged for score in one.scores]
    if as_json:
        click.echo(to_json(*table(scores)), nl=False)
        return
    header, rows = table(scores, each=len(judged) > 1)
    if rows:
        print_table(header, [[cell_text(cell) for cell in row] for row in rows])
    reasons: dict[tuple[str, str], list[str]] = {}
    for score in summarise(scores):
        if score.reason:
            reasons.setdefault((score.method, score.reason), []).append(score.metric)
    for (method, reason), metrics in reasons.items():
        click.echo(f"{', '.join(metrics)} of {method}: {reason}", err=True)
    click.echo(f"\n{folder}: scores.csv, means.md, pictures/, run.json", err=True)


def _complain(judged: list[Judgement]) -> None:
    """Say what failed, as an error; with --debug also where."""
    failures = [failure for one in judged for failure in one.failures]
    if not failures:
        return
    if click.get_current_context().find_root().params.get("debug"):
        for text in dict.fromkeys(failure.traceback for failure in failures):
            click.echo(text, err=True, nl=False)
    listed = dict.fromkeys(f"  {failure.item}: {failure.reason}" for failure in failures)
    count = sum(bool(one.failures) for one in judged)
    raise SpikecoreError(
        "\n".join([f"{count} of {len(judged)} recordings could not be judged wholly, the others were:", *listed])
    )
