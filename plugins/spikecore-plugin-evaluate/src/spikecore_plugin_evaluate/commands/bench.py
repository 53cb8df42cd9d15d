"""`spikecore bench`: how fast methods and kernels are, as ratios to a named reference in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from spikecore import (
    Data,
    Experiment,
    Kind,
    PluginHost,
    RunInfo,
    SpikeStream,
    observed,
    prepare,
    record,
    settled,
)
from spikecore.cli import get_host
from spikecore.cli.options import method_table
from spikecore.cli.progress import show_progress
from spikecore.cli.tables import json_text, print_table

if TYPE_CHECKING:
    from spikecore_plugin_evaluate.timing import Timing


@click.command()
@click.option("-m", "--method", "methods", multiple=True, metavar="ID", help="all reconstructors by default; repeat it")
@click.option("--kernels", is_flag=True, help="the kernels on packed bits instead of methods")
@click.option("--height", type=click.IntRange(1), default=250, show_default=True)
@click.option("--width", type=click.IntRange(1), default=400, show_default=True)
@click.option("--length", type=click.IntRange(1), default=400, show_default=True, help="frames of the random recording")
@click.option("--repeats", type=click.IntRange(1), default=30, show_default=True, help="timed calls after the warm-up")
@click.option("--device", default="cpu", show_default=True)
@click.option("--weights", default="", help="name or file of trained weights")
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
    as_json: bool,
) -> None:
    """How fast methods are: latency of an image, throughput of a video, memory; ratio above 1 beats the reference."""
    from spikecore_plugin_evaluate.timing import NAMES, REFERENCE, random_stream

    if kernels:
        _kernels(as_json)
        return
    host = get_host()
    experiment = settled(_experiment(host, methods, {"device": device, "weights": weights}))
    stream = random_stream(height, width, length)
    show_progress(host)
    timings = _measured(experiment, stream, repeats)
    rows = [attrs.asdict(timing) for timing in timings]
    if as_json:
        click.echo(json_text(rows))
        return
    print_table(["method", *NAMES.values()], [[_text(value) for value in row.values()] for row in rows])
    click.echo(f"\n{stream.name} on {device}; ratio: {REFERENCE}, in the same run", err=True)


def _experiment(host: PluginHost, methods: tuple[str, ...], run: dict[str, Any]) -> Experiment:
    texts = methods or tuple(
        c.id for c in host.components(Kind.RECONSTRUCTOR) if c.consumes == {Data.SPIKES} and Data.IMAGE in c.produces
    )
    return Experiment.from_dict({"name": "bench", "method": [method_table(text) for text in texts], "run": run}, host)


def _measured(experiment: Experiment, stream: SpikeStream, repeats: int) -> list[Timing]:
    """Every method on a recording, one after the other, while observers look on."""
    from spikecore_plugin_evaluate.timing import measure

    host, timings = experiment.host, []
    with observed(host, RunInfo("bench", stream.name, len(experiment.methods), record(experiment))) as run:
        for bound in experiment.methods:
            pipeline = prepare(bound, run=experiment.run, host=host)
            timings.append(measure(bound.label, pipeline, stream, repeats))
            run.scores(timings[-1].scores())
            run.result["results"] = len(timings)
            run.step(len(timings), {"median ms": timings[-1].median})
    return timings


def _kernels(as_json: bool) -> None:
    from spikecore_plugin_evaluate.kernels import run, table

    rows = run(quick=True)
    if as_json:
        click.echo(json_text(rows))
    else:
        click.echo(table(rows))


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
