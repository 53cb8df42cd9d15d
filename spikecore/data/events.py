"""Streams of brightness-change events from event cameras. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.errors import UsageError


@attrs.frozen(eq=False)
class EventStream:
    """Events of one camera, sorted by time.

    Args:
        x: Columns, int16 (N,), 0..width-1.
        y: Rows, int16 (N,), 0..height-1.
        t: Times in microseconds, int64 (N,), not decreasing.
        p: Polarities, bool (N,), True where brightness rose.
        height: Rows of the sensor.
        width: Columns of the sensor.
        name: What to call it in messages.

    The arrays may be lazy (h5py data sets): they are read only where a slice or a representation needs them.

    >>> events = EventStream(np.array([0, 1]), np.array([0, 0]), np.array([5, 15]), np.array([True, False]), 1, 2)
    >>> events.frames([0, 10, 20]).tolist()
    [[[[1, 0]], [[0, 0]]], [[[0, 0]], [[0, 1]]]]
    """

    x: Any = attrs.field(repr=False)
    y: Any = attrs.field(repr=False)
    t: Any = attrs.field(repr=False)
    p: Any = attrs.field(repr=False)
    height: int = attrs.field(validator=attrs.validators.gt(0))
    width: int = attrs.field(validator=attrs.validators.gt(0))
    name: str = "events"

    def __attrs_post_init__(self) -> None:
        lengths = {field: len(getattr(self, field)) for field in "xytp"}
        if len(set(lengths.values())) != 1:
            raise UsageError(f"{self.name}: x, y, t and p differ in length: {lengths}")

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, key: slice) -> EventStream:
        """The events number key.start..key.stop-1."""
        return attrs.evolve(self, x=self.x[key], y=self.y[key], t=self.t[key], p=self.p[key])

    def between(self, start: int, stop: int) -> EventStream:
        """Events with start <= t < stop, in microseconds; found by bisection, reading O(log N) times."""
        return self[_bisect(self.t, start) : _bisect(self.t, stop)]

    def frames(self, edges: Sequence[int]) -> NDArray[np.int32]:
        """Events counted per pixel between consecutive times.

        Args:
            edges: T + 1 increasing times in microseconds; bin i holds edges[i] <= t < edges[i+1].

        Returns:
            int32 (T, 2, height, width): channel 0 counts brightness rises, channel 1 falls.
        """
        bins = _edges(edges)
        part = self.between(int(bins[0]), int(bins[-1]))
        step = np.searchsorted(bins, np.asarray(part.t), side="right") - 1
        cell = (step * 2 + (~np.asarray(part.p, bool))) * self.height * self.width + part._pixel()
        shape = (len(bins) - 1, 2, self.height, self.width)
        return np.bincount(cell, minlength=int(np.prod(shape))).astype(np.int32).reshape(shape)

    def voxels(self, bins: int, start: int | None = None, stop: int | None = None) -> NDArray[np.float32]:
        """Signed events spread linearly over time bins: V(b) = sum p·max(0, 1 - |b - t*|), t* in 0..bins-1.

        Source: Zhu et al., Unsupervised Event-Based Learning of Optical Flow, Depth and Egomotion, CVPR 2019, eq. 1-2.

        Args:
            bins: Number of time bins.
            start: First time in microseconds; the first event's by default.
            stop: Last time in microseconds, where t* is bins-1; the last event's by default.

        Returns:
            float32 (bins, height, width).
        """
        if bins < 1:
            raise UsageError(f"{self.name}: a voxel grid needs at least one bin, got {bins}")
        grid = np.zeros((bins, self.height * self.width))
        if len(self) == 0:
            return grid.astype(np.float32).reshape(bins, self.height, self.width)
        first = int(self.t[0]) if start is None else start
        last = int(self.t[len(self) - 1]) if stop is None else stop
        part = self.between(first, last + 1)
        position = (np.asarray(part.t, np.float64) - first) * (bins - 1) / max(last - first, 1)
        lower = np.floor(position).astype(np.int64)
        sign = np.where(np.asarray(part.p, bool), 1.0, -1.0)
        pixel = part._pixel()
        for step, weight in ((lower, 1 - (position - lower)), (lower + 1, position - lower)):
            inside = step < bins
            cell = step[inside] * grid.shape[1] + pixel[inside]
            grid += np.bincount(cell, (sign * weight)[inside], grid.size).reshape(grid.shape)
        return grid.astype(np.float32).reshape(bins, self.height, self.width)

    def _pixel(self) -> NDArray[np.int64]:
        x, y = np.asarray(self.x, np.int64), np.asarray(self.y, np.int64)
        if len(x) and (x.min() < 0 or y.min() < 0 or x.max() >= self.width or y.max() >= self.height):
            raise UsageError(f"{self.name}: events outside the {self.height}x{self.width} sensor")
        return y * self.width + x


def _edges(edges: Sequence[int]) -> NDArray[np.int64]:
    bins = np.asarray(edges, np.int64)
    if bins.ndim != 1 or len(bins) < 2 or (np.diff(bins) <= 0).any():
        raise UsageError(f"time edges must be at least two increasing times in microseconds, got {list(edges)[:6]}")
    return bins


def _bisect(times: Any, value: int) -> int:
    if isinstance(times, np.ndarray):
        return int(np.searchsorted(times, value, side="left"))
    low, high = 0, len(times)
    while low < high:
        middle = (low + high) // 2
        if int(times[middle]) < value:
            low = middle + 1
        else:
            high = middle
    return low
