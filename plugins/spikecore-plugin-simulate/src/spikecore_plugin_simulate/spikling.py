"""spikling's simulator, exactly: one spike frame per video frame, integers, no noise.

From its documented behaviour (github.com/lshpku/spikling, preprocess.video_to_spike). Per video frame: cropped in the
middle, grey with the weights of red and blue swapped, bilinear to the size wanted, 8 bits; A += grey; a pixel fires
where A >= 255 and loses 255. A starts uniform in [0, 255).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeFormatError, UsageError
from spikecore.output import atomic
from spikecore_plugin_simulate.footage import Footage, open_footage
from spikecore_plugin_simulate.light import crop

_FULL = 255


def video_to_spike(
    path: str | Path,
    size: tuple[int, int] = (256, 256),
    window: int = 32,
    save_path: str = "sp{:04d}.npz",
    *,
    seed: int = 0,
    random: np.random.RandomState | np.random.Generator | None = None,
    first: int = 1,
) -> list[Path]:
    """Write a video as pairs of spikes and a grey picture, as spikling's training data.

    Every `window` frames make one `.npz` with `seq` (uint8 (ceil(window / 8), height, width), frame t in bit t % 8 of
    plane t // 8), `tag` (uint8 (height, width), grey frame number window // 2) and `length`. Charges go on from window
    to window; a last incomplete window is dropped.

    Args:
        path: A video file or a folder of 8-bit images.
        size: Width and height.
        window: Frames of a pair.
        save_path: Where to, the number in braces.
        seed: Of the initial charges; equals `np.random.seed(seed)` before the original.
        random: Draws them instead of the seed.
        first: Number of the first file.

    Returns:
        The files written.
    """
    if window < 1 or min(size) < 1:
        raise UsageError(f"size {size} and window {window} must be above 0")
    width, height = size
    frames = grey_frames(open_footage(Path(path)), height, width)
    source = random or np.random.RandomState(seed)
    pairs = fire(frames, initial_charge(source, height, width))
    written: list[Path] = []
    while len(block := list(islice(pairs, window))) == window:
        target = Path(save_path.format(first + len(written)))
        spikes = np.packbits(np.stack([spike for spike, _ in block]), axis=0, bitorder="little")
        with atomic(target) as temporary, temporary.open("wb") as file:
            np.savez(file, seq=spikes, tag=block[window // 2][1], length=np.int64(window))
        written.append(target)
    if not written:
        raise SpikeFormatError(path, "fewer frames than one window", expected=f"at least {window}")
    return written


def grey_frames(footage: Footage, height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    """Frames as spikling sees them, uint8 (height, width).

    Raises:
        SpikeFormatError: If they are not of 8 bits.
    """
    for pixels in footage:
        if pixels.dtype != np.uint8:
            raise SpikeFormatError(footage.path, f"{pixels.dtype} values", expected="8 bits, which spikling counts in")
        grey = cv2.cvtColor(crop(pixels, height, width), cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels
        yield np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def initial_charge(random: np.random.RandomState | np.random.Generator, height: int, width: int) -> NDArray[np.float64]:
    """Charges in [0, 255), float64 (height, width)."""
    return np.asarray(random.random((height, width)) * _FULL)


def fire(
    frames: Iterator[NDArray[np.uint8]], charge: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.uint8]]]:
    """Spikes (height, width) and the frame that made them; `charge` is changed in place."""
    for frame in frames:
        charge += frame
        spikes = charge >= _FULL
        charge -= _FULL * spikes
        yield spikes, frame
