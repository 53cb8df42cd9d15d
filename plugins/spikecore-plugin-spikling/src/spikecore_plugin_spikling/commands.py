"""`spikecore spikling-video` and `spikecore spikling-pairs`. Imports no torch until a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from torch import nn

    from spikecore import PluginHost


@click.command("spikling-video", short_help="a recording as spikling's videos: AVI, XVID, grey, 30 fps")
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="the .avi file")
@click.option(
    "-m",
    "--method",
    type=click.Choice(["raw", "interval", "window", "generate"]),
    default="generate",
    show_default=True,
    help="spikes as they are, one of the classical methods, or the Semi-UNet",
)
@click.option("--stride", type=click.IntRange(min=1), default=2, show_default=True, help="spike frames a picture")
@click.option("--window", type=click.IntRange(min=1), default=32, show_default=True, help="frames that window averages")
@click.option("--weights", default="generated", show_default=True, help="for generate: a name, or a file")
@click.option("--device", default="cpu", show_default=True, help="where generate computes")
@click.option("--last", is_flag=True, help="the last window too, which the original leaves out")
@click.option("--height", type=click.IntRange(min=1), help="rows of a raw recording")
@click.option("--width", type=click.IntRange(min=1), help="columns of a raw recording")
def spikling_video(
    recording: Path, output: Path, method: str, stride: int, window: int, last: bool, **options: Any
) -> None:
    """Reconstruct every STRIDE-th frame of RECORDING, truncated to 8 bits as the original does.

    Its frames are (frames - 32) // STRIDE, as in the original. generate computes in bfloat16 where that is faster; a
    few pixels then differ by 1. For results in full precision and other formats: spikecore reconstruct.
    """
    from spikecore import open
    from spikecore.cli import get_host
    from spikecore.files.inputs import Inputs
    from spikecore_plugin_spikling.export import starts, write_grey_avi
    from spikecore_plugin_spikling.methods import Method, painter

    Inputs([recording, Path(options["weights"])]).refuse(output)
    host = get_host()
    stream = open(recording, host=host, height=options["height"], width=options["width"])
    chosen = Method(method)
    network = _network(host, options["weights"], options["device"]) if chosen is Method.GENERATE else None
    paint = painter(chosen, network, window, fast=True)
    click.echo(str(write_grey_avi(output, (paint(stream, start) for start in starts(len(stream), stride, last=last)))))


def _network(host: PluginHost, weights: str, device: str) -> nn.Module:
    from spikecore import check_device
    from spikecore_plugin_spikling.compat import Generator

    check_device(device)
    return Generator().load(weights).to(device)


@click.command("spikling-pairs", short_help="videos as spikling's training pairs")
@click.argument("videos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="the folder, made if need be")
@click.option(
    "--size", nargs=2, type=click.IntRange(min=1), default=(256, 256), show_default=True, help="width, height"
)
@click.option("--window", type=click.IntRange(min=1), default=32, show_default=True, help="frames of a pair")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="of the initial charges")
def spikling_pairs(videos: tuple[Path, ...], output: Path, size: tuple[int, int], window: int, seed: int) -> None:
    """Simulate spikes of VIDEOS and write OUTPUT/sp0001.npz, …, each with the picture of its middle frame.

    Numbers go on after the files that are there. `spikling/pairs` reads such folders.
    """
    from spikecore import OutputError
    from spikecore.cli import get_host
    from spikecore.files.inputs import Inputs
    from spikecore_plugin_spikling.simulator import video_to_spike

    Inputs(videos).refuse(output)
    host = get_host()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{output}: the folder cannot be made: {error.strerror or error}") from error
    pattern = str(output).replace("{", "{{").replace("}", "}}") + "/sp{:04d}.npz"
    for number, video in enumerate(videos):
        for path in video_to_spike(video, size, window, pattern, seed=seed + number, host=host):
            click.echo(str(path))
