"""`spikecore info` and `convert`: recordings as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spikecore.api import open_source
from spikecore.cli import get_host
from spikecore.cli.options import source_options, source_table
from spikecore.cli.tables import json_text
from spikecore.data.sample import Sample
from spikecore.errors import SpikecoreError, UsageError


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@source_options
@click.option("--frames", default=20_000, show_default=True, help="statistics over at most this many, in the middle")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def info(path: Path, frames: int, as_json: bool, **values: Any) -> None:
    """Geometry, length, rate and statistics of spikes or events.

    Of several recordings, those that cannot be read are named among the others; the exit code is then 1.
    """
    samples = _samples(path, values)
    count = len(samples)
    if count == 1:
        reports = [_report(samples[0], frames)]
    else:
        reports = [_reported(samples, number, frames) for number in range(count)]
    if as_json:
        click.echo(json_text(reports[0] if count == 1 else reports))
    else:
        for report in reports:
            for name, value in report.items():
                click.echo(f"{name.replace('_', ' ') + ':':28}{_text(value)}")
            click.echo()
    unread = sum("error" in report for report in reports)
    if unread:
        raise SpikecoreError(f"{path}: {unread} of {count} recordings cannot be read, see above")


def _reported(samples: Any, number: int, frames: int) -> dict[str, Any]:
    """The report of one of several recordings, or why there is none."""
    try:
        return _report(samples[number], frames)
    except SpikecoreError as error:
        return {"recording": f"number {number}", "error": str(error)}


def _samples(path: Path, values: dict[str, Any]) -> Any:
    host = get_host()
    table = source_table(host, path, values)
    return open_source(path, source=table.pop("use"), host=host, **{k: v for k, v in table.items() if k != "path"})


def _report(sample: Sample, frames: int) -> dict[str, Any]:
    from spikecore.data.event_statistics import event_statistics
    from spikecore.data.statistics import spike_statistics

    report: dict[str, Any] = {"recording": sample.key}
    if sample.spikes is not None:
        stream = sample.spikes
        report |= {
            "height": stream.height,
            "width": stream.width,
            "frames": len(stream),
            "rate_hz": stream.rate,
            "duration_s": stream.duration,
            "gain": stream.gain,
            **spike_statistics(stream, frames),
        }
    for number, events in enumerate(sample.events):
        after = f"_{number}" if len(sample.events) > 1 else ""
        report |= {f"{name}{after}": value for name, value in event_statistics(events).items()}
    if sample.frames is not None:
        report["video_frames"] = list(sample.frames.shape)
    if sample.label is not None:
        report["label"] = sample.label
    if sample.text is not None:
        report["text"] = sample.text
    report |= {f"target_{kind}": list(value.shape) for kind, value in sample.target.items()}
    return report


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "not known" if value is None else str(value)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@source_options
@click.option("--to", "writer", metavar="ID", help="the format to write; chosen by file name by default")
@click.option("--out", "outputs", multiple=True, metavar="KEY=VALUE", help="options of the written format")
@click.option("--start", type=int, default=0, help="first frame")
@click.option("--stop", type=int, help="end before this frame")
def convert(
    path: Path, output: Path, writer: str | None, outputs: tuple[str, ...], start: int, stop: int | None, **values: Any
) -> None:
    """From any readable to any writable format; bit-exact."""
    from spikecore.experiment.toml import override
    from spikecore.files.inputs import Inputs
    from spikecore.files.recordings import write_stream

    samples = _samples(path, values)
    if len(samples) != 1:
        raise UsageError(f"{path} holds {len(samples)} recordings; convert takes one file at a time")
    stream = samples[0].spikes
    if stream is None:
        raise UsageError(f"{path} holds no spikes; convert writes spike recordings")
    end = len(stream) if stop is None else stop
    if not 0 <= start < end <= len(stream):
        raise UsageError(f"frames {start}..{end - 1} are not inside 0..{len(stream) - 1}")
    Inputs([path]).refuse(output, output.with_name(f"{output.name}.toml"))
    written = write_stream(get_host(), stream[start:end], output, writer, override({}, outputs))
    click.echo(f"{written}: {end - start} frames of {stream.height}x{stream.width}, {written.stat().st_size} bytes")
