"""Streams of brightness-change events from event cameras. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from operator import index
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.data.columns import BLOCK, as_column, refuse_disorder, refuse_outside
from spikecore.errors import SpikecoreError, UsageError, shown

_LAST = 2**62
_SIDE = 2**15
_CELLS = 2**40


@attrs.frozen(eq=False)
class EventStream:
    """Events of one camera, sorted by time.

    Args:
        x: Columns, int16 (N,), 0..width-1.
        y: Rows, int16 (N,), 0..height-1.
        t: Times in microseconds, int64 (N,), not decreasing.
        p: Polarities, bool (N,), True where brightness rose; 0 and 1, or -1 and +1, are taken as such.
        height: Rows of the sensor.
        width: Columns of the sensor.
        name: What to call it in messages.

    Arrays are looked at once, here; whole numbers of other types are taken where nothing is lost. Columns may be lazy
    (h5py data sets of whole numbers): they are read only where a slice or a representation needs them, and what is read
    is looked at then.

    Raises:
        UsageError: If a column is anything else: seconds, other polarities, times that decrease or whose clock wrapped
            round, events outside the sensor. Says what to type.

    >>> events = EventStream(np.array([0, 1]), np.array([0, 0]), np.array([5, 15]), np.array([True, False]), 1, 2)
    >>> events.frames([0, 10, 20]).tolist()
    [[[[1, 0]], [[0, 0]]], [[[0, 0]], [[0, 1]]]]
    """

    x: Any = attrs.field(repr=False)
    y: Any = attrs.field(repr=False)
    t: Any = attrs.field(repr=False)
    p: Any = attrs.field(repr=False)
    height: int
    width: int
    name: str = "events"

    def __attrs_post_init__(self) -> None:
        for side in ("height", "width"):
            object.__setattr__(self, side, _whole(getattr(self, side), f"{self.name}: {side}"))
            if not 1 <= getattr(self, side) <= _SIDE:
                raise UsageError(f"{self.name}: {side} is {getattr(self, side)}; expected 1..{_SIDE} pixels")
        for field in "xytp":
            object.__setattr__(self, field, as_column(getattr(self, field), field, self.name))
        lengths = {field: len(getattr(self, field)) for field in "xytp"}
        if len(set(lengths.values())) != 1:
            raise UsageError(f"{self.name}: x, y, t and p differ in length: {lengths}")
        if isinstance(self.x, np.ndarray) and isinstance(self.y, np.ndarray):
            refuse_outside(self.x, self.y, (self.height, self.width), self.name)
        if isinstance(self.t, np.ndarray):
            refuse_disorder(self.t, self.name)

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, key: slice) -> EventStream:
        """The events number key.start..key.stop-1; of arrays a view."""
        if not isinstance(key, slice | np.ndarray):
            raise UsageError(f"{self.name}: events are taken by slices, events[a:b], not by {shown(key)}")
        part = copy(self)
        for field in "xytp":
            object.__setattr__(part, field, self._part(field, key))
        if isinstance(key, slice) and (key.step or 1) > 0 and self._is_held:
            return part  # of what was looked at
        return attrs.evolve(part)

    def _part(self, field: str, key: Any) -> NDArray[Any]:
        try:
            return np.asarray(getattr(self, field)[key])
        except SpikecoreError:
            raise
        except Exception as error:  # lazy columns fail in ways of their own
            raise UsageError(f"{self.name}: {field} of events {shown(key)}: {shown(error)}") from error

    @property
    def _is_held(self) -> bool:
        return all(isinstance(getattr(self, field), np.ndarray) for field in "xytp")

    def check(self) -> None:
        """Read the times and polarities of lazy columns once, in blocks, and look at them as at arrays.

        Raises:
            UsageError: As the stream itself.
        """
        for start in range(0, 0 if self._is_held else len(self), BLOCK):
            first = max(start - 1, 0)
            times = as_column(self._part("t", slice(first, start + BLOCK)), "t", self.name)
            refuse_disorder(times, self.name, first)
            as_column(self._part("p", slice(start, start + BLOCK)), "p", self.name)

    def between(self, start: float, stop: float) -> EventStream:
        """Events with start <= t < stop, in microseconds; found by bisection, reading O(log N) times."""
        first, last = _time(start), _time(stop)
        part = self[_bisect(self.t, first) : _bisect(self.t, last)]
        if len(part) and not first <= part.t[0] <= part.t[-1] < last:
            raise UsageError(f"{self.name}: times that are not sorted; EventStream.check says where")
        return part

    def frames(self, edges: Sequence[int]) -> NDArray[np.int32]:
        """Events counted per pixel between consecutive times.

        Args:
            edges: T + 1 increasing times in microseconds; bin i holds edges[i] <= t < edges[i+1].

        Returns:
            int32 (T, 2, height, width): channel 0 counts brightness rises, channel 1 falls.
        """
        bins = _edges(edges)
        self._refuse_larger(2 * (len(bins) - 1))
        part = self.between(int(bins[0]), int(bins[-1]))
        step = np.searchsorted(bins, part.t, side="right") - 1
        cell = (step * 2 + ~part.p) * self.height * self.width + part._pixel()
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
        bins = _whole(bins, f"{self.name}: the number of bins")
        if bins < 1:
            raise UsageError(f"{self.name}: a voxel grid needs at least one bin, got {bins}")
        self._refuse_larger(bins)
        grid = np.zeros((bins, self.height * self.width))
        if len(self) == 0:
            return grid.astype(np.float32).reshape(bins, self.height, self.width)
        first = int(self.t[0]) if start is None else _whole(start, f"{self.name}: start")
        last = int(self.t[len(self) - 1]) if stop is None else _whole(stop, f"{self.name}: stop")
        if not -_LAST < first <= last < _LAST:
            found = f"{self.name}: a voxel grid from {shown(first)} to {shown(last)} microseconds"
            raise UsageError(f"{found}; expected an end that is not before the start, both of fewer than 63 bits")
        part = self.between(first, last + 1)
        position = (part.t - first).astype(np.float64) * (bins - 1) / max(last - first, 1)
        lower = np.floor(position).astype(np.int64)
        sign = np.where(part.p, 1.0, -1.0)
        pixel = part._pixel()
        for step, weight in ((lower, 1 - (position - lower)), (lower + 1, position - lower)):
            inside = step < bins
            cell = step[inside] * grid.shape[1] + pixel[inside]
            grid += np.bincount(cell, (sign * weight)[inside], grid.size).reshape(grid.shape)
        return grid.astype(np.float32).reshape(bins, self.height, self.width)

    def _refuse_larger(self, pictures: int) -> None:
        if pictures * self.height * self.width > _CELLS:
            raise UsageError(f"{self.name}: {pictures} pictures of {self.height}x{self.width} do not fit into memory")

    def _pixel(self) -> NDArray[np.int64]:
        return np.asarray(self.y, np.int64) * self.width + np.asarray(self.x, np.int64)


def _edges(edges: Sequence[int]) -> NDArray[np.int64]:
    try:
        bins: NDArray[np.int64] = as_column(edges if isinstance(edges, np.ndarray) else [*edges], "t", "time edges")
    except TypeError:
        raise UsageError(f"time edges are {shown(edges)}; expected a list of times in microseconds") from None
    if len(bins) < 2 or (bins[1:] <= bins[:-1]).any():
        raise UsageError(f"time edges must be at least two increasing times in microseconds, got {list(edges)[:6]}")
    return bins


def _whole(value: Any, what: str) -> int:
    try:
        return index(value)
    except TypeError:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise UsageError(f"{what} is {shown(value)}; expected a whole number") from None


def _time(value: float) -> int:
    """The first whole microsecond not before `value`, within 64 bits: what lies before one lies before the other."""
    try:
        return min(max(math.ceil(value), -_LAST), _LAST)
    except (TypeError, ValueError):
        raise UsageError(f"a time in microseconds is {shown(value)}; expected a number") from None
    except OverflowError:  # infinite
        return _LAST if value > 0 else -_LAST


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
