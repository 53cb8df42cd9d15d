"""Is the axis that is taken for time the one along which spikes behave as they do in time?

An array read with its axes in another order raises nothing by itself. But time differs from space: a camera that
integrates light fires regularly along it, and what a pixel expects hardly changes from frame to frame, while pictures
have structure. Silence and noise tell nothing, and then nothing is said; neither is swapped height and width noticed.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeStream
from spikecore_plugin_vidar.config import Axes
from spikecore_plugin_vidar.plausibility import GeometryWarning

_FRAMES = 64
_SIDE = 256
_MOST_BYTES = 2**27
_LEAST = 8
_REGULAR = 0.015
_STEADY = 0.04
_SIGMAS = 8.0
_CONSTANT = 1.3


@attrs.frozen
class _Axis:
    """How values vary along one axis.

    Args:
        changes: Mean squared difference of neighbours over twice the variance within lines: 1 where values are
            independent, above 1 where they alternate as regular spikes do, below 1 where brightness varies.
        structure: The same of sums over another axis, over what chance gives: no more where nothing changes.
    """

    changes: float
    structure: float


def warn_of_axes(path: Path, stream: SpikeStream, axes: Axes) -> None:
    """Warn if another axis than the one read as time is it; looks at the middle, which takes some milliseconds.

    Args:
        path: Named in the warning.
        stream: The recording as it is read.
        axes: The order it is read with.
    """
    found = _time_axis(_sample(stream))
    if found:
        time, taken = axes.index("thw"[found]), axes.index("t")
        others = iter("hw")
        better = "".join("t" if place == time else next(others) for place in range(3))
        swapped = better.translate(str.maketrans("hw", "wh"))
        text = (
            f"{path}: spikes along axis {time + 1} of the array behave as they do in time, and along axis {taken + 1}, "
            f'which is read as time, as they do in a picture\n  try: axes="{better}" or axes="{swapped}" (--in '
            f"axes={better}): t frames, h rows, w columns\n  or, if it is right: check=False (--no-check)"
        )
        warnings.warn(text, GeometryWarning, stacklevel=3)


def _sample(stream: SpikeStream) -> NDArray[np.uint8]:
    length, height, width = stream.shape
    frames = min(_FRAMES, length, _MOST_BYTES // (height * width))
    start = (length - frames) // 2
    if not frames:
        return np.zeros((0, 0, 0), np.uint8)
    top, left = max(height - _SIDE, 0) // 2, max(width - _SIDE, 0) // 2
    return stream.unpack(start, start + frames)[:, top : top + _SIDE, left : left + _SIDE]


def _time_axis(values: NDArray[np.uint8]) -> int:
    """The axis that is surely time though it is not the first, else 0."""
    if min(values.shape) < _LEAST or values.min() == values.max():
        return 0
    seen = [_along(values, axis) for axis in range(3)]
    constant = [axis for axis in range(3) if seen[axis].structure < _CONSTANT * seen[axis].changes]
    best = max(constant, key=lambda axis: seen[axis].changes, default=0)
    excess = seen[best].changes - 1
    others = max(seen[axis].changes for axis in range(3) if axis != best) - 1
    chance = _SIGMAS / np.sqrt(values.size)
    regular = excess > max(_REGULAR, chance) and others < excess / 2
    steady = abs(excess) < _STEADY / 2 and others < -max(_STEADY, chance)
    return best if regular or steady else 0


def _along(values: NDArray[np.uint8], axis: int) -> _Axis:
    lines = np.moveaxis(values, axis, 0)
    count = len(lines)
    mean = lines.sum(axis=0, dtype=np.uint32) / count
    within = float((mean * (1 - mean)).mean()) * count / (count - 1)
    changes = np.count_nonzero(lines[1:] != lines[:-1]) / (lines[1:].size * 2 * within) if within else 0.0
    return _Axis(changes, max(_structure(lines, summed) for summed in (1, 2)))


def _structure(lines: NDArray[np.uint8], summed: int) -> float:
    sums = lines.sum(axis=summed, dtype=np.int32)
    share = sums / lines.shape[summed]
    chance = 2 * float((sums * (1 - share)).mean())
    return float((np.diff(sums, axis=0) ** 2).mean()) / chance if chance else 0.0
