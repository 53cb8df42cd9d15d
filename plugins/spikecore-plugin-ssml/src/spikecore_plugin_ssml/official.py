"""The official training data: items drawn exactly as the published data set class draws them.

For comparisons with it; trainings here use `ssml/instants` or any other source, and the trainer's crops and turns.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from spikecore import SpikeStream, UsageError
from spikecore_plugin_ssml.config import FRAMES
from spikecore_plugin_ssml.labels import tfi_label

LABELLED = (6, 13, 20, 27, 34)
"""Frames whose TFI maps an item carries."""


@attrs.frozen(eq=False)
class Item:
    """One training item.

    Args:
        spikes: uint8 (41, crop, crop).
        tfi: float32 (5, crop, crop), values n/255: the official program passes labels through 8-bit pictures.
        row: First row of the crop.
        column: First column of the crop.
        mode: 0..7, see `turned`.
    """

    spikes: NDArray[np.uint8]
    tfi: NDArray[np.float32]
    row: int
    column: int
    mode: int


def official_item(stream: SpikeStream, random: np.random.RandomState, crop: int = 40) -> Item:
    """An item from the first 41 frames: crop row, crop column, then mode, drawn in this order.

    Args:
        stream: A recording.
        random: Legacy generator; `np.random.RandomState(seed)` draws what `np.random.seed(seed)` made the program draw.
        crop: Side of the square; 0 for whole pictures, which then draw a mode only.

    Raises:
        UsageError: If the recording is shorter than 41 frames or smaller than the crop.
    """
    if len(stream) < FRAMES or crop > min(stream.height, stream.width):
        raise UsageError(
            f"{stream.name} has {len(stream)} frames of {stream.height}x{stream.width}, too few for {FRAMES} of "
            f"{crop}x{crop}"
        )
    frames = stream[:FRAMES].unpack()
    row = int(random.randint(0, stream.height - crop + 1)) if crop else 0
    column = int(random.randint(0, stream.width - crop + 1)) if crop else 0
    mode = int(random.choice(8, replace=False))
    if crop:
        frames = frames[:, row : row + crop, column : column + crop]
    spikes = np.ascontiguousarray(turned(frames, mode), np.uint8)
    return Item(spikes, quantised_labels(spikes), row, column, mode)


def quantised_labels(spikes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """TFI maps of frames 6, 13, 20, 27 and 34, rounded down to n/255: float32 (5, H, W) from (41, H, W)."""
    frames = torch.from_numpy(spikes).float()[None]
    maps = torch.cat([tfi_label(frames, centre)[0] for centre in LABELLED])
    return np.asarray((maps * 255).floor().numpy() / np.float32(255), np.float32)


def turned(values: NDArray[Any], mode: int) -> NDArray[Any]:
    """(…, H, W) in one of eight ways: quarter turns counter-clockwise mode // 2, then rows flipped if `mode` is odd."""
    result = np.rot90(values, mode // 2, axes=(-2, -1))
    return result[..., ::-1, :] if mode % 2 else result
