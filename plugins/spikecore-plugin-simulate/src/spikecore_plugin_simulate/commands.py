"""`spikecore simulate` and `simulate-classes`. Imported whenever the command line starts: heavy modules inside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikecore import UsageError

if TYPE_CHECKING:
    from spikecore import PluginHost

_COMPONENTS = {
    ("spikes", False): "simulate/spikes",
    ("spikes", True): "simulate/scenes",
    ("events", False): "simulate/events",
    ("events", True): "simulate/events",
}


@click.command()
@click.argument("source", metavar="VIDEO|FOLDER|scene")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="the file, or with --clips the folder"
)
@click.option("--camera", type=click.Choice(["spikes", "events"]), default="spikes", show_default=True)
@click.option("--clips", type=click.IntRange(min=1), help="this many generated clips, in a new folder")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="an option of the component")
def simulate(source: str, output: Path, camera: str, clips: int | None, settings: tuple[str, ...]) -> None:
    """A video, a folder of images or a generated scene through a simulated camera.

    Writes spikes in the format of the file name with the picture of the middle frame beside them (NAME.gt.png), or
    events as HDF5. With --clips a folder of recordings: spike/00000.dat, gt/00000.png, … or 00000.events.h5, ….

    The same command goes on where it was stopped.

    `spikecore show simulate/spikes` (for video), `simulate/scenes` and `simulate/events` explain the options for --set.
    """
    from spikecore import override
    from spikecore.cli import get_host

    host = get_host()
    scene = source == "scene"
    table = override({} if scene else {"path": source}, settings)
    if clips is not None:
        if not scene:
            raise UsageError(f"--clips makes generated scenes; {source} is one recording, leave --clips out")
        table["clips"] = clips
    for path in _write(host, _COMPONENTS[camera, scene], table, output, camera, clips):
        click.echo(str(path))


def _write(
    host: PluginHost, reference: str, table: dict[str, Any], output: Path, camera: str, clips: int | None
) -> Iterator[Path]:
    """Build the source and write its samples; yields the files."""
    from spikecore import Kind
    from spikecore.files.inputs import Inputs
    from spikecore_plugin_simulate import writing

    if camera == "events":
        writing.check_events_name(output, clips is not None)
    elif clips is None:
        writing.check_recording_name(host, output)
    if "path" in table:
        beside = [output.with_name(f"{output.name}.toml"), output.with_name(f"{output.stem}.gt.png")]
        Inputs([Path(str(table["path"]))]).refuse(output, *beside)
    component = host.find(reference, Kind.SOURCE)
    samples = host.build(component, table)
    made = {"component": reference, "options": host.converter.unstructure(host.configure(component, table))}
    if camera == "events":
        return writing.write_event_files(samples, output, None if clips is None else made)
    if clips is None:
        return writing.write_recording(host, samples[0], output)
    return writing.write_data_set(host, samples, output, made)


@click.command("simulate-classes")
@click.option("--dataset", type=click.Choice(["caltech", "cifar", "both"]), default="both", show_default=True)
@click.option("--data-root", "--data_root", type=click.Path(path_type=Path), default="data", show_default=True)
@click.option("--num-train", "--num_train", default=50, show_default=True, help="training items of each class")
@click.option("--num-test", "--num_test", default=10, show_default=True, help="test items of each class")
@click.option("--num-frames", "--num_frames", default=200, show_default=True)
@click.option("--image-size", "--image_size", nargs=2, type=int, default=(224, 224), show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--lowlight-ratio", "--lowlight_ratio", default=0.5, show_default=True)
@click.option("--fast-ratio", "--fast_ratio", default=0.5, show_default=True)
@click.option("--images", type=click.Path(path_type=Path), help="a folder CLASS/*.png|jpg of photographs")
@click.option("--original", is_flag=True, help="the original generator's behaviour, faults included")
def simulate_classes(dataset: str, data_root: Path, **values: Any) -> None:
    """Class-labelled recordings in the layout that SpikeCLIP's programs read.

    Writes DATA_ROOT/U-CIFAR/{train,test}/00000.npz, … (and U-CALTECH), and a manifest.json beside them with the seed
    and what every item was made of.
    """
    from spikecore import Kind
    from spikecore.cli import get_host
    from spikecore_plugin_simulate.class_folder import write_class_folder

    host = get_host()
    component = host.find("simulate/classes", Kind.SOURCE)
    options = {
        key: str(value) if isinstance(value, Path) else value for key, value in values.items() if value is not None
    }
    for name in ("caltech", "cifar") if dataset == "both" else (dataset,):
        config = host.configure(component, {**options, "dataset": name})
        root = data_root / f"U-{name.upper()}"
        files = sum(1 for _ in write_class_folder(root, config))
        click.echo(f"{root}: {files - 1} recordings and manifest.json")
