"""`spikecore compare`: several methods on one instant of one recording, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from spikecore.cli import get_host
from spikecore.cli.options import method_table, run_options, source_options, source_table, take
from spikecore.cli.show_table import print_table
from spikecore.component import Data, Kind
from spikecore.errors import UsageError
from spikecore.experiment import Experiment, RunConfig
from spikecore.host import PluginHost
from spikecore.tables import cell_text, json_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spikecore.sample import Sample

DARK = 0.2  # pictures whose brightest hundredth begins below this show little


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "-m", "--method", "methods", multiple=True, metavar="ID", help="e.g. -m 'classic/tfi rule=ssml'; repeat it"
)
@click.option("-o", "--output", type=click.Path(path_type=Path), default="compare.png", show_default=True)
@source_options
@run_options
@click.option("--at", type=int, help="the instant; the one of the ground truth, else the middle, by default")
@click.option("--truth", type=click.Path(path_type=Path), help="ground-truth image of that instant")
@click.option("--metric", "metrics", multiple=True, metavar="ID", help="metrics; builtin/psnr by default")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def compare(
    path: Path,
    methods: tuple[str, ...],
    output: Path,
    truth: Path | None,
    metrics: tuple[str, ...],
    as_json: bool,
    **values: Any,
) -> None:
    """Several methods on one instant, side by side, scored where the ground truth is known."""
    host = get_host()
    if not methods:
        raise UsageError("give the methods to compare, for example -m classic/tfp -m classic/tfi")
    source = source_table(host, path, values)
    run = take(values, *[field.name for field in attrs.fields(RunConfig) if field.name in values])
    sample = _sample(host, source, truth, run.get("at"))
    run["at"] = sample.instant
    pictures: dict[str, NDArray[np.float32]] = {}
    rows = []
    judges = list(metrics) or ["builtin/psnr"]
    for text in methods:
        if text in pictures:
            raise UsageError(f"{text!r} is given twice")
        experiment = _experiment(host, source, text, run, judges)
        rows.append(_one(experiment, sample, pictures, text))
    _report(rows, as_json)
    _hint(pictures, sample, run.get("gain"))
    _draw(pictures, sample, output)
    _record(host, {"source": source, "method": list(methods), "metric": judges, "run": run}, truth, output)
    if not as_json:
        click.echo(f"\ninstant {sample.instant} of {sample.key}: {output}")


def _sample(host: PluginHost, source: dict[str, Any], truth: Path | None, at: int | None) -> Sample:
    from spikecore.grid import read_image

    samples = host.build(host.find(source["use"], Kind.SOURCE), {k: v for k, v in source.items() if k != "use"})
    if len(samples) != 1:
        raise UsageError(f"{source['path']} holds {len(samples)} recordings; compare takes one")
    sample: Sample = samples[0]
    if sample.spikes is None:
        raise UsageError(f"{source['path']} holds no spikes to compare methods on")
    if truth is not None:
        image = read_image(str(truth), (sample.spikes.height, sample.spikes.width))
        sample = attrs.evolve(sample, target=dict(sample.target) | {Data.IMAGE: image[None]}, at=at)
    if at is not None and at != sample.instant:
        sample = attrs.evolve(sample, at=at, target={})  # what was known belongs to another instant
    return sample


def _experiment(
    host: PluginHost, source: dict[str, Any], text: str, run: dict[str, Any], metrics: list[str]
) -> Experiment:
    chosen = method_table(text)
    kind = host.find(chosen["use"], Kind.RECONSTRUCTOR, Kind.MODEL).kind
    table = {str(kind): chosen, "metric": [{"use": metric} for metric in metrics], "run": run}
    Experiment.from_dict(
        {"source": source, str(kind): chosen, "run": run}, host
    )  # inputs fit; targets may come by flag
    return Experiment.from_dict(table, host)


def _one(experiment: Experiment, sample: Sample, pictures: dict[str, Any], text: str) -> dict[str, Any]:
    from spikecore.adapter import prepare
    from spikecore.evaluation import judged, timed

    (bound,) = experiment.methods
    method = prepare(experiment.host, bound, experiment.run)
    pictures[text], cost = timed(sample, method, experiment)
    row: dict[str, Any] = {"method": text, **cost}
    for metric in experiment.many("metric"):
        known = metric.component.targets <= sample.target.keys()
        scores = judged(text, pictures[text], sample, method, [metric], []) if known else []
        row[metric.label] = scores[0].value if scores else None
        if scores and scores[0].reason:
            click.echo(f"{metric.label}: {scores[0].reason}", err=True)
    return row


def _report(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json_text(rows))
        return
    header = list(rows[0])
    print_table(header, [[cell_text(row[name]) for name in header] for row in rows])
    if all(value is None for row in rows for value in list(row.values())[3:]):
        click.echo("no ground truth: give it with --truth IMAGE --at FRAME", err=True)


def _hint(pictures: dict[str, NDArray[np.float32]], sample: Sample, gain: float | None) -> None:
    """Say what brightens pictures in which nearly all is dark, as those of a recording of unknown gain may be."""
    import numpy as np

    bright = max(float(np.percentile(picture, 99)) for picture in pictures.values())
    if 0 < bright < DARK:
        own = sample.spikes.gain if sample.spikes is not None else None
        better = 0.9 * (gain or own or 1.0) / bright
        click.echo(f"the pictures are dark, 99 % of them below {bright:.2g}; try --gain {better:.2g}", err=True)


def _record(host: PluginHost, table: dict[str, Any], truth: Path | None, output: Path) -> None:
    """Write beside the picture what `spikecore evaluate` repeats it by."""
    from spikecore.inputs import describe
    from spikecore.record import write_record

    source = host.find(table["source"]["use"], Kind.SOURCE)
    options = {field.name for field in attrs.fields(source.config)}
    if truth is not None and {"image", "at"} <= options:
        table["source"] |= {"image": str(truth), "at": table["run"]["at"]}
    judges = [name for name in table["metric"] if host.find(name, Kind.METRIC).targets <= source.targets]
    methods = [method_table(text) for text in table["method"]]
    table |= {"name": output.stem, "method": methods, "metric": [{"use": name} for name in judges]}
    write_record(output, describe(Experiment.from_dict(table, host), None, output))


def _draw(pictures: dict[str, NDArray[np.float32]], sample: Sample, output: Path) -> None:
    from spikecore.grid import comparison
    from spikecore.sinks import Target, open_sink

    truth = sample.target.get(Data.IMAGE)
    sink = open_sink(Target(output, 1))
    sink.write(0, comparison(pictures, None if truth is None else truth[0]))
    sink.commit()
