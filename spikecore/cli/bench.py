"""`spikecore bench`: how fast methods and kernels are, as ratios to a named reference in the same run."""

from __future__ import annotations

import json

import attrs
import click

from spikecore.cli import get_host
from spikecore.cli.options import method_table
from spikecore.cli.show_table import print_table
from spikecore.component import Data, Kind


@click.command()
@click.option("-m", "--method", "methods", multiple=True, metavar="ID", help="all reconstructors by default")
@click.option("--kernels", is_flag=True, help="the kernels on packed bits instead of methods")
@click.option("--height", default=250, show_default=True)
@click.option("--width", default=400, show_default=True)
@click.option("--length", default=400, show_default=True, help="frames of the random recording")
@click.option("--repeats", default=30, show_default=True, help="timed calls after the warm-up")
@click.option("--device", default="cpu", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def bench(
    methods: tuple[str, ...],
    kernels: bool,
    height: int,
    width: int,
    length: int,
    repeats: int,
    device: str,
    as_json: bool,
) -> None:
    """How fast methods are: latency of an image, throughput of a video, memory; ratio above 1 beats the reference."""
    if kernels:
        from spikecore.kernels.bench import main

        main(as_json=as_json)
        return
    from spikecore.adapter import prepare
    from spikecore.bench import REFERENCE, measure, random_stream
    from spikecore.experiment import Bound, RunConfig

    host = get_host()
    texts = methods or tuple(
        c.id for c in host.components(Kind.RECONSTRUCTOR) if c.consumes == {Data.SPIKES} and Data.IMAGE in c.produces
    )
    run = RunConfig(device=device)
    stream = random_stream(height, width, length)
    rows = []
    for text in texts:
        table = method_table(text)
        component = host.find(table.pop("use"), Kind.RECONSTRUCTOR, Kind.MODEL)
        method = prepare(host, Bound(component, host.configure(component, table)), run)
        rows.append({**attrs.asdict(measure(method, stream, run, repeats)), "method": text})
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    header = ["method", "mean ms", "median ms", "p95 ms", "ratio", "images/s", "MB", "parameters"]
    print_table(header, [[_text(value) for value in row.values()] for row in rows])
    click.echo(f"\n{stream.name} on {device}; ratio: {REFERENCE}, in the same run", err=True)


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
