"""`spikecore bench`: how fast methods and kernels are, as ratios to a named reference in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from spikecore.cli import get_host
from spikecore.cli.options import method_table
from spikecore.cli.progress import show_progress
from spikecore.cli.show_table import print_table
from spikecore.component import Data, Kind
from spikecore.experiment import Experiment
from spikecore.host import PluginHost
from spikecore.observe import RunInfo
from spikecore.tables import json_text

if TYPE_CHECKING:
    from spikecore.bench import Timing
    from spikecore.spikes import SpikeStream


@click.command()
@click.option("-m", "--method", "methods", multiple=True, metavar="ID", help="all reconstructors by default; repeat it")
@click.option("--kernels", is_flag=True, help="the kernels on packed bits instead of methods")
@click.option("--height", type=click.IntRange(1), default=250, show_default=True)
@click.option("--width", type=click.IntRange(1), default=400, show_default=True)
@click.option("--length", type=click.IntRange(1), default=400, show_default=True, help="frames of the random recording")
@click.option("--repeats", type=click.IntRange(1), default=30, show_default=True, help="timed calls after the warm-up")
@click.option("--device", default="cpu", show_default=True)
@click.option("--weights", default="", help="name or file of trained weights")
@click.option("--store", type=click.Path(path_type=Path), help="the results file; .spikecore/results.sqlite by default")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def bench(
    methods: tuple[str, ...],
    kernels: bool,
    height: int,
    width: int,
    length: int,
    repeats: int,
    device: str,
    weights: str,
    store: Path | None,
    as_json: bool,
) -> None:
    """How fast methods are: latency of an image, throughput of a video, memory; ratio above 1 beats the reference."""
    from spikecore.bench import REFERENCE, UNITS, random_stream
    from spikecore.record import record

    if kernels:
        _kernels(as_json)
        return
    host = get_host()
    experiment = _experiment(host, methods, {"device": device, "weights": weights})
    stream = random_stream(height, width, length)
    show_progress(host)
    recipe = record(experiment)
    timings = _measured(experiment, stream, repeats, recipe)
    _record(recipe, timings, stream.name, store)
    rows = [attrs.asdict(timing) for timing in timings]
    if as_json:
        click.echo(json_text(rows))
        return
    header = ["method", *(f"{name} {unit}".strip() for name, unit in UNITS.items())]
    print_table(header, [[_text(value) for value in row.values()] for row in rows])
    click.echo(f"\n{stream.name} on {device}; ratio: {REFERENCE}, in the same run", err=True)


def _experiment(host: PluginHost, methods: tuple[str, ...], run: dict[str, Any]) -> Experiment:
    texts = methods or tuple(
        c.id for c in host.components(Kind.RECONSTRUCTOR) if c.consumes == {Data.SPIKES} and Data.IMAGE in c.produces
    )
    return Experiment.from_dict({"name": "bench", "method": [method_table(text) for text in texts], "run": run}, host)


def _measured(experiment: Experiment, stream: SpikeStream, repeats: int, recipe: Mapping[str, Any]) -> list[Timing]:
    """Every method on a recording, one after the other, while observers look on."""
    from spikecore.adapter import prepare
    from spikecore.bench import measure

    hook, timings, state = experiment.host.hook, [], "failed"
    info = RunInfo("bench", f"bench on {stream.name}", len(experiment.methods), recipe)
    try:
        hook.spikecore_run_start(run=info)
        for bound in experiment.methods:
            method = prepare(experiment.host, bound, experiment.run)
            timings.append(measure(bound.label, method, stream, experiment.run, repeats))
            hook.spikecore_step_end(run=info, step=len(timings), values={"median ms": timings[-1].median})
        state = "done"
        return timings
    except KeyboardInterrupt:
        state = "interrupted"
        raise
    finally:
        hook.spikecore_run_end(run=info, result={"state": state, "results": len(timings)})


def _record(recipe: Mapping[str, Any], timings: list[Timing], what: str, store: Path | None) -> None:
    from spikecore.bench import HIGHER, UNITS
    from spikecore.results import Results, Score

    results = Results(store)
    id = results.start("bench", what, recipe, recipe["fingerprint"])
    for timing in timings:
        for name, unit in UNITS.items():
            value = getattr(timing, name)
            reason = "" if value is not None else "the device does not report it"
            metric = f"{name} {unit}".strip()
            results.add(id, [Score("", timing.method, metric, value, reason, HIGHER.get(name, False))])
    results.finish(id, "done")


def _kernels(as_json: bool) -> None:
    from spikecore.kernels.benchmark import run, table

    rows = run(quick=True)
    if as_json:
        click.echo(json_text(rows))
    else:
        click.echo(table(rows))


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
