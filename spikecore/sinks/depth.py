"""Pictures of depth: colours from near to far, beside a bar that says how many metres they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import UsageError
from spikecore.plugin.sink import Picture, Sink, Target
from spikecore.sinks.scale import Range, paint


def range_of(
    plane: NDArray[np.float32], near: float | None = None, far: float | None = None, note: str = "this picture"
) -> Range | None:
    """The range as given, else of the known pixels of a plane (H, W); None if there is neither.

    Args:
        plane: Metres, NaN where unknown.
        near: Metres; by default 1 % of the pixels are nearer, so that one speck does not take the colours from all.
        far: Metres; likewise.
        note: What the plane is called where its range is written.

    Raises:
        UsageError: If the far end that is given is not beyond the near one.
    """
    if near is not None and far is not None:
        if not near < far:
            raise UsageError(f"depth_far={far:g} must be more than depth_near={near:g}, both in metres")
        return Range(near, far, ("range as", "given"))
    known = plane[np.isfinite(plane)]
    if not known.size:
        return None
    low, high = (float(end) for end in np.percentile(known, (1, 99)))
    low, high = (low if near is None else near), (high if far is None else far)
    if high - low < 1e-3:  # all at one depth, or beyond the end that is given
        low, high = (low, low + 1e-3) if far is None else (high - 1e-3, high)
    return Range(low, high, ("1-99 % of", note))


def depth_picture(depth: NDArray[np.float32], near: float | None = None, far: float | None = None) -> Picture:
    """A picture (H', W', 3) in [0, 1] of depth (1, H, W) or (H, W) in metres: near yellow, far violet, unknown grey.

    At its right stands a bar with the metres. Low pictures are enlarged by a whole number, so that it can be read.

    Args:
        depth: Metres, NaN where unknown.
        near: Metres at the near end of the colours; see `range_of`.
        far: Metres at the far end.
    """
    plane = _plane(depth)
    return paint(plane, range_of(plane, near, far))


class DepthPictures:
    """Depth as pictures, for a sink of pictures.

    A video keeps the range of its first picture, so that a colour is one depth throughout. In a folder each picture has
    its own: it looks the same whichever others are written in the same run.

    Args:
        opener: Opens the sink of pictures.
        target: For that sink; `Target.attributes` may give the range.

    Raises:
        UsageError: If the range is wrong, or 16 bits are asked for.
    """

    def __init__(self, opener: Callable[[Target], Sink], target: Target) -> None:
        self._near, self._far = _metres(target, "depth_near"), _metres(target, "depth_far")
        self._range = range_of(np.zeros((0, 0), np.float32), self._near, self._far)
        self._video = target.path.suffix.lower() not in ("", ".png")
        if target.bits != 8 and not self._video:
            raise UsageError(
                f"{target.path}: pictures of depth are colours of 8 bits, not {target.bits}\n"
                "  try: .npy or .h5 for the exact metres, or bits=8"
            )
        self._sink = opener(target)

    @property
    def written(self) -> int:
        """See `Sink`."""
        return self._sink.written

    def write(self, instant: float, result: NDArray[np.float32]) -> None:
        """See `Sink`."""
        plane = _plane(result)
        note = f"picture {self.written + 1}" if self._video else "this picture"
        shown = self._range or range_of(plane, self._near, self._far, note)
        if self._video:
            self._range = shown
        self._sink.write(instant, paint(plane, shown))

    def commit(self) -> Path:
        """See `Sink`."""
        return self._sink.commit()

    def interrupt(self) -> Path | None:
        """See `Sink`."""
        return self._sink.interrupt()


def _metres(target: Target, name: str) -> float | None:
    text = target.attributes.get(name)
    try:
        value = None if text is None else float(text)
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise UsageError(f"{name}={text}: this is no number of metres\n  try: {name}=2.5")
    return value


def _plane(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    plane = depth[0] if depth.ndim == 3 and len(depth) == 1 else depth
    if plane.ndim != 2 or not plane.size:
        raise UsageError(f"depth is (1, H, W) in metres, found an array of shape {depth.shape}")
    return plane
