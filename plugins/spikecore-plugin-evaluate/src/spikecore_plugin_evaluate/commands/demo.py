"""`spikecore demo`: simulate, write, read, reconstruct with everything installed, score, show."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import attrs
import click

from spikecore import Data, Experiment, Kind, PluginHost, Target, UsageError, install_hint, open_source, save
from spikecore.cli import get_host
from spikecore_plugin_evaluate.commands.report import by_method, show

if TYPE_CHECKING:
    from spikecore import Pipeline, Sample
    from spikecore_plugin_evaluate.evaluation import Evaluation
    from spikecore_plugin_evaluate.judgement import Judgement

FRAMES = 240
BRISK = 30.0
"""Milliseconds an image of a method may take to be in the video too, which has 80 of them."""


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default="spikecore-demo", show_default=True)
@click.option("--seed", default=0, show_default=True, help="another scene")
def demo(output: Path, seed: int) -> None:
    """The whole loop on a generated scene: simulate, reconstruct with everything installed, score, show.

    Writes the recording, a picture grid and a video to ./spikecore-demo/.
    """
    from spikecore.files.held import held_folder

    host = get_host()
    began = perf_counter()
    experiment = _experiment(host)
    with held_folder(output):
        _demonstrate(host, experiment, output, seed, began)


def _demonstrate(host: PluginHost, experiment: Experiment, output: Path, seed: int, began: float) -> None:
    from spikecore_plugin_evaluate.evaluation import Evaluation

    scene = host.build(host.find("builtin/scene", Kind.SOURCE), {"length": FRAMES, "seed": seed, "speed": 0.15})
    recording = output / "scene.dat"
    sample = _through_a_file(host, scene, recording)
    evaluation = Evaluation(experiment)
    found = evaluation.judge(sample, calls=1)
    rows = by_method(found.scores)
    show(list(rows[0]), [list(row.values()) for row in rows])
    brisk = _brisk(evaluation, found)
    if len(brisk) < len(rows):
        click.echo(f"\nthe video shows the methods that take at most {BRISK:g} ms an image; the picture shows all")
    written = [recording, _picture(found, sample, output), _video(scene, sample, brisk, output)]
    click.echo(f"\nwritten in {perf_counter() - began:.1f} s:")
    for path in written:
        click.echo(f"  {path.resolve()}")
    for failure in found.failures:
        click.echo(f"\n{failure.reason}", err=True)


def _experiment(host: PluginHost) -> Experiment:
    """Of everything installed that makes images of spikes without being told more."""
    able = [
        component
        for component in [*host.components(Kind.RECONSTRUCTOR), *host.components(Kind.MODEL)]
        if component.consumes == {Data.SPIKES}
        and Data.IMAGE in component.produces
        and not component.missing()
        and (component.kind is Kind.RECONSTRUCTOR or any(weights.file for weights in component.weights))
    ]
    if not able:
        raise UsageError(f"no method that makes images is installed\n  try: {install_hint(plugin='classic')}")
    table = {"method": [{"use": component.id} for component in able], "metric": [{"use": "builtin/psnr"}]}
    return Experiment.from_dict(table, host)


def _through_a_file(host: PluginHost, scene: Any, path: Path) -> Sample:
    made = scene[0]
    read = open_source(save(made.spikes, path, host=host), host=host)[0]
    click.echo(f"{path}: {FRAMES} frames of {made.spikes.height}x{made.spikes.width}, {path.stat().st_size} bytes\n")
    return attrs.evolve(read, target=made.target, at=made.at)


def _brisk(evaluation: Evaluation, found: Judgement) -> dict[str, Pipeline]:
    from spikecore_plugin_evaluate.judgement import TIME

    times = {score.method: score.value for score in found.scores if score.metric == TIME and score.value is not None}
    methods = evaluation.experiment.methods
    return {one.label: evaluation.pipeline(one) for one in methods if times.get(one.label, BRISK + 1) <= BRISK}


def _picture(found: Judgement, sample: Sample, output: Path) -> Path:
    from spikecore.sinks.grid import grid
    from spikecore.sinks.open import write_picture

    pictures = {**found.pictures, "ground truth": sample.target[Data.IMAGE][0]}
    return write_picture(grid(pictures), output / "grid.png")


def _video(scene: Any, sample: Sample, methods: Mapping[str, Pipeline], output: Path) -> Path:
    from spikecore.sinks.grid import grid
    from spikecore.sinks.open import open_sink

    wanted = range(40, FRAMES - 40, 2)
    streams = {name: pipeline.stream(sample, wanted) for name, pipeline in methods.items()}
    suffix = ".mp4" if find_spec("av") else ".webm"
    sink = open_sink(None, Target(output / f"video{suffix}", len(wanted)))
    for at in wanted:
        shown = {name: next(stream)[1] for name, stream in streams.items()}
        sink.write(at, grid({**shown, "ground truth": scene.image(0, at)}))
    return sink.commit()
