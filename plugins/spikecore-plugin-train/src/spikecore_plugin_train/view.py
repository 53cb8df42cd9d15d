"""Crops, mirror images and quarter turns of a sample, the same for everything in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore import Data, EventStream, Sample, SpikeStream, UsageError

SPATIAL = (Data.IMAGE, Data.VIDEO, Data.DEPTH, Data.FLOW)
"""Targets that are pictures; the others (features) have no place in the picture."""


@attrs.frozen
class View:
    """A rectangle of the picture, turned and mirrored.

    Args:
        top: First row.
        left: First column.
        height: Rows.
        width: Columns.
        mode: 0..7: `mode % 4` quarter turns counter-clockwise, then mirrored left to right if `mode >= 4`.
    """

    top: int
    left: int
    height: int
    width: int
    mode: int = 0


def picture_size(sample: Sample) -> tuple[int, int]:
    """Height and width of a sample: of its spikes, else of its events, frames or ground truth.

    Raises:
        UsageError: If it has none of them.
    """
    if sample.spikes is not None:
        return sample.spikes.height, sample.spikes.width
    if sample.events:
        return sample.events[0].height, sample.events[0].width
    if sample.frames is not None:
        height, width = sample.frames.shape[-2:]
        return int(height), int(width)
    for kind in SPATIAL:
        if kind in sample.target:
            return sample.target[kind].shape[-2:]
    raise UsageError(f"{sample.key} holds no picture to crop or turn; set crop = 0, flips and rotations to false")


def see(sample: Sample, view: View) -> Sample:
    """The sample as seen through `view`. Arrays of k times its size (super-resolution) are cut k times as large.

    Raises:
        UsageError: If arrays differ in size and neither is a whole multiple of the other.
    """
    size = picture_size(sample)
    if view == View(0, 0, *size):
        return sample
    changes: dict[str, Any] = {
        "spikes": None if sample.spikes is None else _spikes(sample.spikes, view),
        "events": [_events(camera, _scaled(view, (camera.height, camera.width), size)) for camera in sample.events],
        "frames": None if sample.frames is None else _array(sample.frames, view, size),
        "target": _targets(sample.target, view, size),
    }
    return attrs.evolve(sample, **changes)


def _targets(target: Mapping[str, NDArray[Any]], view: View, size: tuple[int, int]) -> dict[str, NDArray[Any]]:
    seen = dict(target)
    for kind in SPATIAL:
        if kind in seen:
            seen[kind] = _array(seen[kind], view, size)
    if Data.FLOW in seen:
        seen[Data.FLOW] = _turned_vectors(seen[Data.FLOW], view.mode)
    return seen


def _scaled(view: View, have: tuple[int, int], size: tuple[int, int]) -> View:
    factor = have[0] // size[0]
    if factor < 1 or (size[0] * factor, size[1] * factor) != tuple(have):
        raise UsageError(f"a picture of {have[0]}x{have[1]} is no whole multiple of the sample's {size[0]}x{size[1]}")
    top, left, height, width = (factor * value for value in (view.top, view.left, view.height, view.width))
    return View(top, left, height, width, view.mode)


def _array(values: NDArray[Any], view: View, size: tuple[int, int]) -> NDArray[Any]:
    box = _scaled(view, (values.shape[-2], values.shape[-1]), size)
    return _turned(values[..., box.top : box.top + box.height, box.left : box.left + box.width], box.mode)


def _turned(values: NDArray[Any], mode: int) -> NDArray[Any]:
    turned = np.rot90(values, mode % 4, axes=(-2, -1))
    return np.ascontiguousarray(turned[..., ::-1] if mode >= 4 else turned)


def _spikes(stream: SpikeStream, view: View) -> SpikeStream:
    part = attrs.evolve(stream, layout=stream.layout.crop(view.top, view.left, view.height, view.width))
    frames = _turned(part.unpack(), view.mode)
    return SpikeStream.from_frames(frames.astype(bool), rate=stream.rate, gain=stream.gain, name=stream.name)


def _events(camera: EventStream, view: View) -> EventStream:
    x, y = np.asarray(camera.x, np.int64) - view.left, np.asarray(camera.y, np.int64) - view.top
    inside = (x >= 0) & (x < view.width) & (y >= 0) & (y < view.height)
    x, y, height, width = x[inside], y[inside], view.height, view.width
    for _ in range(view.mode % 4):
        x, y = y, width - 1 - x
        height, width = width, height
    if view.mode >= 4:
        x = width - 1 - x
    return EventStream(
        x=x.astype(np.int16),
        y=y.astype(np.int16),
        t=np.asarray(camera.t)[inside],
        p=np.asarray(camera.p)[inside],
        height=height,
        width=width,
        name=camera.name,
    )


def _turned_vectors(flow: NDArray[Any], mode: int) -> NDArray[Any]:
    """Flow (2, H, W), x then y, after its pixels were moved: a quarter turn takes (dx, dy) to (dy, -dx)."""
    x, y = flow
    for _ in range(mode % 4):
        x, y = y, -x
    return np.stack([-x if mode >= 4 else x, y])
