"""spikling's video_to_spike: a video as training pairs of 32 spike frames and the picture of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore import OutputError, PluginHost, SpikeFormatError, UsageError, default_host
from spikecore.files.atomic import atomic
from spikecore.files.held import held
from spikecore_plugin_spikling.companions import companion

CAMERA = "simulate/spikes"
"""The component whose preset "spikling" is the original's camera to the bit."""


def video_to_spike(
    path: str | Path,
    size: tuple[int, int] = (256, 256),
    window: int = 32,
    save_path: str = "sp{:04d}.npz",
    *,
    seed: int = 0,
    host: PluginHost | None = None,
) -> list[Path]:
    """Write a video as pairs of spikes and a grey picture: see `spikecore_plugin_spikling.pairs`.

    Every `window` frames make a file; charges go on from one to the next, a last incomplete window is dropped. Numbers
    go on after the files that exist already, so that several videos make one data set.

    Args:
        path: A video file or a folder of 8-bit images.
        size: Width and height; frames are cropped in the middle to that shape, then scaled.
        window: Frames of a pair.
        save_path: Where to, the number in braces: "data/sp{:04d}.npz".
        seed: Of the initial charges; equals `np.random.seed(seed)` before the original.
        host: Where the camera is looked up.

    Returns:
        The files written.

    Raises:
        UsageError: If an argument is wrong, or others are writing there.
        UnknownComponent: If the plugin that simulates is not installed.
        SpikeFormatError: If the video is missing, damaged, or shorter than a window.
        OutputError: If a file cannot be written.
    """
    if window < 1 or min(size) < 1:
        raise UsageError(f"size {size} and window {window} must be above 0")
    camera = _camera(host or default_host(), Path(path), size, seed)
    spikes = camera[0].spikes
    pairs = len(spikes) // window
    if not pairs:
        raise SpikeFormatError(path, f"{len(spikes)} frames", expected=f"at least {window}, those of one window")
    pictures = islice(camera.images(), window // 2, None, window)
    written = []
    with held(_folder(save_path)):  # two at a time would take the same numbers
        names = _free(save_path)
        for number in range(pairs):
            frames = spikes.unpack(number * window, (number + 1) * window)
            picture = np.rint(next(pictures) * 255).astype(np.uint8)
            written.append(write_pair(next(names), frames, picture))
    return written


def write_pair(path: Path, spikes: NDArray[Any], picture: NDArray[np.uint8]) -> Path:
    """One training pair: spikes (frames, height, width) packed along time, the picture (height, width), the length."""
    planes = np.packbits(spikes, axis=0, bitorder="little")
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, seq=planes, tag=picture, length=np.int64(len(spikes)))
    return path


def _camera(host: PluginHost, path: Path, size: tuple[int, int], seed: int) -> Any:
    width, height = size
    options = {"path": str(path), "width": width, "height": height, "preset": "spikling", "seed": seed}
    return host.build(companion(host, CAMERA), options)


def _folder(pattern: str) -> Path:
    """The folder that the files go to."""
    folder = next(_free(pattern)).parent
    if not folder.is_dir():
        raise OutputError(f"{pattern}: there is no folder {folder}\n  try: mkdir -p {folder}")
    return folder


def _free(pattern: str) -> Iterator[Path]:
    """File names from number 1 on, without those up to the last that exists."""
    try:
        distinct = pattern.format(1) != pattern.format(2)
    except (IndexError, KeyError, ValueError) as error:
        raise UsageError(f"{pattern!r} is no pattern for file names: {error}; e.g. sp{{:04d}}.npz") from error
    if not distinct:
        raise UsageError(
            f"{pattern!r} has no place for a number, every pair would replace the last\n  try: sp{{:04d}}.npz"
        )
    number = 1
    while Path(pattern.format(number)).exists():
        number += 1
    while True:
        yield Path(pattern.format(number))
        number += 1
