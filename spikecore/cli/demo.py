"""`spikecore demo`: simulate, write, read, reconstruct with everything installed, score, show."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from spikecore.cli import get_host
from spikecore.cli.show_table import print_table
from spikecore.component import Data, Kind
from spikecore.host import PluginHost

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spikecore.adapter import Method
    from spikecore.builtin.scene import Scene
    from spikecore.sample import Sample

FRAMES = 240
RECORDING = "scene.dat"
BRISK = 30.0
"""Milliseconds an image of a method may take to be in the video too, which has 80 of them."""


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default="spikecore-demo", show_default=True)
@click.option("--seed", default=0, show_default=True, help="another scene")
def demo(output: Path, seed: int) -> None:
    """The whole loop on a generated scene: simulate, reconstruct with everything installed, score, show.

    Writes the recording, a picture grid and a video to ./spikecore-demo/.
    """
    host = get_host()
    began = perf_counter()
    output.mkdir(parents=True, exist_ok=True)
    scene = host.build(host.find("builtin/scene", Kind.SOURCE), {"length": FRAMES, "seed": seed, "speed": 0.15})
    sample = _through_a_file(host, scene, output / RECORDING)
    methods = _methods(host)
    rows, pictures, brisk = [], {}, {}
    for name, method in methods.items():
        pictures[name], score, spent = _judge(host, sample, method)
        rows.append([name, f"{score:.2f}", f"{spent:.2f}"])
        if spent <= BRISK:
            brisk[name] = method
    print_table(["method", "PSNR dB", "ms per image"], rows)
    if len(brisk) < len(methods):
        click.echo(f"\nthe video shows the methods that take at most {BRISK:g} ms an image; the picture shows all")
    pictures["ground truth"] = sample.target[Data.IMAGE][0]
    written = [output / RECORDING, _picture(pictures, output), _video(scene, sample, brisk, output)]
    click.echo(f"\nwritten in {perf_counter() - began:.1f} s:")
    for path in written:
        click.echo(f"  {path.resolve()}")


def _through_a_file(host: PluginHost, scene: Scene, path: Path) -> Sample:
    import attrs

    from spikecore.api import open_source
    from spikecore.output import find_writer, write_stream

    made = scene[0]
    assert made.spikes is not None  # the scene is made of spikes
    find_writer(host, path)
    write_stream(host, made.spikes, path, None, {})
    read = open_source(path, host=host)[0]
    click.echo(f"{path}: {FRAMES} frames of {made.spikes.height}x{made.spikes.width}, {path.stat().st_size} bytes\n")
    return attrs.evolve(read, target=made.target, at=made.at)


def _methods(host: PluginHost) -> dict[str, Method]:
    from spikecore.adapter import prepare
    from spikecore.experiment import Bound, RunConfig

    able = [
        component
        for component in [*host.components(Kind.RECONSTRUCTOR), *host.components(Kind.MODEL)]
        if component.consumes == {Data.SPIKES}
        and Data.IMAGE in component.produces
        and not component.missing()
        and (component.kind is Kind.RECONSTRUCTOR or any(weights.file for weights in component.weights))
    ]
    if not able:
        click.echo("no reconstructor is installed; try: pip install spikecore-plugin-classic", err=True)
    return {c.id: prepare(host, Bound(c, host.configure(c, {})), RunConfig()) for c in able}


def _judge(host: PluginHost, sample: Sample, method: Method) -> tuple[NDArray[np.float32], float, float]:
    """The picture, its PSNR in dB, and the milliseconds it took."""
    from spikecore.evaluation import TIME, timed
    from spikecore.experiment import Experiment
    from spikecore.scores import judge

    metric = host.find("builtin/psnr", Kind.METRIC)
    picture, cost = timed(sample, method, Experiment.from_dict({}, host), calls=1)
    score = judge(host.build(metric), metric, picture, sample, method)
    return picture, score, cost[TIME]


def _picture(pictures: dict[str, NDArray[np.float32]], output: Path) -> Path:
    from spikecore.grid import grid
    from spikecore.sinks import Target, open_sink

    sink = open_sink(Target(output / "grid.png", 1))
    sink.write(0, grid(pictures, columns=2))
    return sink.commit()


def _video(scene: Scene, sample: Sample, methods: dict[str, Method], output: Path) -> Path:
    from importlib.util import find_spec

    from spikecore.experiment import RunConfig
    from spikecore.grid import grid
    from spikecore.runner import results, to_picture
    from spikecore.sinks import Target, open_sink

    run = RunConfig()
    wanted = range(40, FRAMES - 40, 2)
    streams: dict[str, Any] = {name: results(sample, method, wanted, run) for name, method in methods.items()}
    suffix = ".mp4" if find_spec("av") else ".webm"
    sink = open_sink(Target(output / f"video{suffix}", len(wanted)))
    for at in wanted:
        shown = {name: to_picture(next(stream)[1], sample, methods[name], run) for name, stream in streams.items()}
        sink.write(at, grid({**shown, "ground truth": scene.image(0, at)}, columns=2))
    return sink.commit()
