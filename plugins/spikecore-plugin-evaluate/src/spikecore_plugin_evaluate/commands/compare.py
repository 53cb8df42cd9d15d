"""`spikecore compare`: an evaluation of one recording, shown as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from spikecore import Bound, Data, Experiment, Kind, PluginHost, UsageError
from spikecore.cli import get_host
from spikecore.cli.options import instant_options, method_table, source_options, source_table, take_run
from spikecore.cli.tables import json_text
from spikecore_plugin_evaluate.commands.report import by_method, complain, show, show_reasons

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spikecore import Sample
    from spikecore_plugin_evaluate.judgement import Judgement

DARK = 0.2  # pictures whose brightest hundredth begins below this show little


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "-m", "--method", "methods", multiple=True, metavar="ID", help="e.g. -m 'classic/tfi rule=ssml'; repeat it"
)
@click.option("-o", "--output", type=click.Path(path_type=Path), default="compare.png", show_default=True)
@source_options
@instant_options
@click.option("--truth", type=click.Path(path_type=Path), help="ground-truth picture of that instant, grey or RGB")
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
    """Several methods on one instant, side by side, scored where the ground truth is known.

    The instant is that of the ground truth, else the middle of the recording, unless --at names another.
    """
    from spikecore import recipe_of, record_path, settled, write_record
    from spikecore.files.held import held
    from spikecore.files.inputs import Inputs
    from spikecore_plugin_evaluate.evaluation import Evaluation, draw

    host = get_host()
    read = Inputs([path, *([] if truth is None else [truth])])
    read.refuse(output, record_path(output))
    if not methods:
        raise UsageError("give the methods to compare, for example -m classic/tfp -m classic/tfi")
    source = source_table(host, path, values)
    run = take_run(values)
    sample = _sample(host, source, truth, run.get("at"))
    stated = truth is None or _state(host, source, truth, sample.instant)
    chosen = [method_table(text) for text in methods]
    table = {"name": output.stem, "source": source, "method": chosen, "run": run}
    experiment = settled(Experiment.from_dict(table, host))
    truths = sample.target.keys() | sample.kinds  # a label is ground truth, too
    known = [one for one in _metrics(host, chosen, metrics) if one.component.targets <= truths]
    repeatable = [one for one in known if stated or not one.component.targets]
    recipe = recipe_of(_with(experiment, repeatable), output, [record_path(output)])
    found = Evaluation(_with(experiment, known)).judge(sample)
    _report(found, as_json)
    if not known:
        click.echo("no ground truth: give it with --truth IMAGE --at FRAME", err=True)
    if found.pictures:
        _hint(found.pictures, sample, run.get("gain"))
        with held(output):
            draw(found, sample, output)
            write_record(output, recipe)
        if not as_json:
            click.echo(f"\ninstant {sample.instant} of {sample.key}: {output}")
    complain([found])


def _sample(host: PluginHost, source: dict[str, Any], truth: Path | None, at: float | None) -> Sample:
    """The one recording of a source, at the instant, with the ground truth that is known of it or was given."""
    from spikecore.files.pictures import read_image
    from spikecore_plugin_evaluate.evaluation import at_instant

    options = {name: value for name, value in source.items() if name != "use"}
    samples = host.build(host.find(source["use"], Kind.SOURCE), options)
    if len(samples) != 1:
        raise UsageError(f"{source['path']} holds {len(samples)} recordings; compare takes one")
    sample = at_instant(samples[0], at)
    if truth is None:
        return sample
    seen = next(iter(sample.events), None) if sample.spikes is None else sample.spikes
    image = read_image(truth, None if seen is None else (seen.height, seen.width))
    return attrs.evolve(sample, target={**sample.target, Data.IMAGE: image[None]}, at=sample.instant, delay=0.0)


def _state(host: PluginHost, source: dict[str, Any], truth: Path, instant: float) -> bool:
    """Put a ground truth into the table of its source, if that has options for it."""
    options = {field.name for field in attrs.fields(host.find(source["use"], Kind.SOURCE).config)}
    if not {"image", "at"} <= options or instant != int(instant):
        return False
    source |= {"image": str(truth), "at": int(instant)}
    return True


def _metrics(host: PluginHost, methods: list[dict[str, Any]], names: Iterable[str]) -> list[Bound]:
    """The metrics, which must fit the methods; what ground truth the recording has is another matter."""
    tables = [method_table(name) for name in names or ("builtin/psnr",)]
    return Experiment.from_dict({"method": methods, "metric": tables}, host).many("metric")


def _with(experiment: Experiment, metrics: Iterable[Bound]) -> Experiment:
    parts = {f"metric.{number}": metric for number, metric in enumerate(metrics)}
    return attrs.evolve(experiment, parts={**experiment.parts, **parts})


def _report(found: Judgement, as_json: bool) -> None:
    rows = by_method(found.scores)
    if as_json:
        click.echo(json_text(rows))
        return
    show(list(rows[0]), [list(row.values()) for row in rows])
    show_reasons(found.scores)


def _hint(pictures: Mapping[str, NDArray[np.float32]], sample: Sample, gain: float | None) -> None:
    """Say what brightens pictures in which nearly all is dark, as those of a recording of unknown gain may be."""
    import numpy as np

    bright = max(float(np.percentile(picture, 99)) for picture in pictures.values())
    if 0 < bright < DARK:
        own = sample.spikes.gain if sample.spikes is not None else None
        better = 0.9 * (gain or own or 1.0) / bright
        click.echo(f"the pictures are dark, 99 % of them below {bright:.2g}; try --gain {better:.2g}", err=True)
