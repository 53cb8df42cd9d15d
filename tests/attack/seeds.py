"""Small good files of every kind that is read. A seed is a folder; its target says which file in it is damaged.

`options.json` in a seed folder, where there is one, holds the options the file is opened with.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import h5py
import numpy as np

import spikecore as sc

HEIGHT, WIDTH, LENGTH = 6, 8, 64


def folder(root: Path, name: str, **options: object) -> Path:
    """A new seed."""
    made = root / name
    made.mkdir(parents=True)
    if options:
        (made / "options.json").write_text(json.dumps(options))
    return made


def frames(length: int = LENGTH, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Spikes of a picture that is brighter to the right, bool (length, height, width)."""
    rates = np.broadcast_to(np.linspace(0.1, 0.6, width), (height, width))
    charge = np.random.default_rng(1).random((height, width)) + rates * np.arange(1, length + 1)[:, None, None]
    return np.diff(np.floor(charge), axis=0, prepend=0)[:length] > 0


def stream(length: int = LENGTH, height: int = HEIGHT, width: int = WIDTH) -> sc.SpikeStream:
    """The same as a stream with a rate and a gain of its own."""
    return sc.SpikeStream.from_frames(frames(length, height, width), rate=12345.0, gain=1.75)


def picture(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """uint8 (height, width)."""
    return np.random.default_rng(2).integers(0, 256, (height, width)).astype(np.uint8)


def dat(root: Path) -> None:
    """Raw bits."""
    path = folder(root, "plain", height=HEIGHT, width=WIDTH, check=False) / "clip.dat"
    path.write_bytes(stream().packed.tobytes())
    sc.save(stream(), folder(root, "described", check=False) / "clip.dat")


def descriptions(root: Path) -> None:
    """What lies beside raw bits and says how large the picture is."""
    texts = {
        "own": ("clip.dat.toml", None),
        "named": ("clip.toml", 'height = 6\nwidth = 8\nframes = 64\nrate = 1e4\nflip = true\nbit_order = "big"\n'),
        "picture": ("clip.dat.toml", 'height = 6\nwidth = 8\nimage = "truth.png"\nat = 20\ngain = 2.0\n'),
        "yaml": ("config.yaml", "# SpikeCV\nfilename: x\nspike_w: 8\nspike_h: 6\nlabeled_data_type: [3.1, 5]\n"),
        "json": ("config.json", '{"spike_w": 8, "spike_h": 6, "more": [1, {"a": null}]}\n'),
        "beside": ("clip.json", '{"spike_w": 8, "spike_h": 6}'),
    }
    for name, (file, text) in texts.items():
        made = folder(root, name, check=False)
        sc.save(stream(), made / "clip.dat")
        described = (made / "clip.dat.toml").read_text()
        (made / "clip.dat.toml").unlink()
        cv2.imwrite(str(made / "truth.png"), picture())
        (made / file).write_text(described if text is None else text)


def npz_own(root: Path) -> None:
    """The project's own archive."""
    sc.save(stream(), folder(root, "own") / "clip.npz")


def npz_foreign(root: Path) -> None:
    """Archives of other projects, and any array of 0 and 1."""
    spikes = frames()
    np.savez_compressed(folder(root, "uhsr") / "clip.npz", spk=spikes, label=np.int64(3), label_name="x.jpg")
    planes = np.packbits(spikes, axis=0, bitorder="little")
    np.savez(folder(root, "spikling") / "clip.npz", seq=planes, tag=picture(), length=np.int64(LENGTH))
    np.savez(folder(root, "keyed", key="a") / "clip.npz", a=spikes.astype(np.uint8), b=np.arange(5))


def npy(root: Path) -> None:
    """Arrays."""
    np.save(folder(root, "bool") / "clip.npy", frames())
    np.save(folder(root, "fortran") / "clip.npy", np.asfortranarray(frames().astype(np.uint8)))
    np.save(folder(root, "grey", binarise=0.5) / "clip.npy", frames().astype(np.float32))


def h5_own(root: Path) -> None:
    """The project's own HDF5."""
    sc.save(stream(), folder(root, "own") / "clip.h5")


def h5_foreign(root: Path) -> None:
    """HDF5 as others write it: contiguous, chunked, packed, in a group, by the newest version of the library."""
    spikes = frames().astype(np.uint8)
    layouts: dict[str, dict[str, object]] = {
        "plain": {},
        "chunked": {"chunks": (8, 6, 8), "compression": "gzip"},
        "checked": {"chunks": (16, 6, 8), "fletcher32": True, "shuffle": True},
    }
    for name, layout in layouts.items():
        with h5py.File(folder(root, name, key="a") / "clip.h5", "w") as file:
            file.create_dataset("a", data=spikes, **layout)
            file["a"].attrs["note"] = "some text"
    with h5py.File(folder(root, "latest", key="g/a") / "clip.h5", "w", libver="latest") as file:
        file.create_dataset("g/a", data=spikes, chunks=(8, 6, 8), maxshape=(None, 6, 8))


def events(count: int = 200) -> sc.EventStream:
    """Events of a 6x8 sensor."""
    random = np.random.default_rng(3)
    x, y = random.integers(0, WIDTH, count).astype(np.int16), random.integers(0, HEIGHT, count).astype(np.int16)
    return sc.EventStream(x, y, np.sort(random.integers(0, 10**6, count)), random.random(count) < 0.5, HEIGHT, WIDTH)


def events_own(root: Path) -> None:
    """What `spikecore simulate --camera events` writes."""
    from spikecore_plugin_simulate.event_file import write_events

    write_events(events(), folder(root, "own", source="simulate/event-file") / "clip.events.h5")


def events_foreign(root: Path) -> None:
    """Columns as others write them."""
    held = events()
    for name, chunks in (("plain", None), ("chunked", (64,))):
        made = folder(root, name, source="simulate/event-file", height=HEIGHT, width=WIDTH)
        with h5py.File(made / "clip.events.h5", "w") as file:
            for column in "xytp":
                values = np.asarray(getattr(held, column))
                file.create_dataset(f"events/{column}", data=values.astype(np.int64), chunks=chunks)
            if chunks:
                file["t_offset"] = np.int64(10**10)


def truth(root: Path) -> None:
    """A folder of recordings and pictures."""
    kinds = {"8-bit": picture(), "16-bit": picture().astype(np.uint16) * 257, "bytes": picture()}
    for name, pixels in kinds.items():
        made = folder(root, name)
        for part in ("spike", "gt"):
            (made / part).mkdir()
        sc.save(stream(), made / "spike" / "a.dat")
        cv2.imwrite(str(made / "gt" / "a.png"), pixels, [cv2.IMWRITE_PNG_STRATEGY, 3 if name == "bytes" else 0])


def pictures(root: Path) -> None:
    """Pictures of every format."""
    colour = np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    light = colour.astype(np.float32) / 255
    for suffix, pixels in {
        "jpg": colour, "bmp": colour, "tif": colour, "tiff": light[..., 0], "hdr": light, "png": colour,
        "jpeg": picture(),
    }.items():  # fmt: skip
        assert cv2.imwrite(str(folder(root, suffix) / f"picture.{suffix}"), pixels)


def footage(root: Path) -> None:
    """Folders of images, as a video."""
    for suffix in ("png", "jpg", "bmp", "tif"):
        made = folder(root, suffix, source="simulate/spikes", interpolate=2)
        for number in range(3):
            cv2.imwrite(str(made / f"{number}.{suffix}"), np.roll(picture(16, 16), number, 0))


def videos(root: Path) -> None:
    """Videos of a few frames."""
    for suffix, codec in (("avi", "MJPG"), ("mp4", "mp4v"), ("mov", "mp4v"), ("mkv", "mp4v"), ("webm", "VP80")):
        path = folder(root, suffix, source="simulate/spikes") / f"clip.{suffix}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 30, (32, 16), True)
        for number in range(6):
            writer.write(np.repeat(np.roll(picture(16, 32), number, 1)[..., None], 3, 2))
        writer.release()
