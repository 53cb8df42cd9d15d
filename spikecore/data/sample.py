"""What sources yield: samples, and the window around an instant. Imports no torch.

A `Sample` holds NumPy arrays and streams, so that worker processes and listings never import torch. `collate` puts
samples side by side; `Batch.to(device)` makes the tensors that components receive. Shapes and units:

========  ==========================  ====================================================================
kind      in a batch                  meaning
========  ==========================  ====================================================================
spikes    `SpikeBatch`                packed until asked; `.tensor()` is (N, T, H, W) in {0, 1}
events    one `EventBatch` a camera   `.frames(...)` is (N, T, 2, H, W): counts of rises and of falls
frames    (N, D, C, H, W) float32     video from an ordinary camera, [0, 1]
image     (N, C, H, W) float32        light intensity in [0, 1]
video     (N, D, C, H, W) float32     the same, D instants
depth     (N, 1, H, W) float32        metres, NaN where unknown
flow      (N, 2, H, W) float32        pixels per spike frame, x then y, NaN where unknown
label     (N,) int64                  class number (as output: (N, classes) scores)
========  ==========================  ====================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.data.events import EventStream
from spikecore.data.kinds import Data
from spikecore.data.spikes import SpikeStream
from spikecore.errors import UsageError, shown


@attrs.frozen
class Window:
    """What a method needs around the instant it reconstructs: so many spike frames, or microseconds of events.

    Args:
        length: Number of frames (microseconds); None for the whole recording.
        anchor: Position of the instant among them, 0..length-1.
        clip: True if the method copes with fewer frames at the ends of a recording; else those instants are refused.
        needs: The part of these frames without which it does not cope; the rest is clipped at the ends.
        unit: "frames" of spikes, or "us" of events.
        fractional: True if the method reconstructs instants between two frames, for example 150.85.
    """

    length: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.gt(0)))
    anchor: int = 0
    clip: bool = False
    needs: Window | None = None
    unit: Literal["frames", "us"] = attrs.field(default="frames", validator=attrs.validators.in_(("frames", "us")))
    fractional: bool = False

    def __attrs_post_init__(self) -> None:
        if self.length is not None and not 0 <= self.anchor < self.length:
            unit = self._unit
            raise UsageError(f"a window of {self.length} {unit}s has no {unit} {self.anchor} to be its anchor")

    @classmethod
    def centred(cls, length: int, clip: bool = False) -> Window:
        """`length` frames with the instant in the middle (the later middle of an even length)."""
        return cls(length, length // 2, clip)

    def valid(self, total: int, first: int = 0) -> range:
        """The instants of a recording from `first` on, `total` long, for which this window exists; may be empty."""
        if self.needs is not None:
            return self.needs.valid(total, first)
        if self.length is None or self.clip:
            return range(first, first + total)
        return range(first + self.anchor, first + total - (self.length - 1 - self.anchor))

    def cut(self, stream: SpikeStream, at: float) -> tuple[SpikeStream, float]:
        """The frames around instant `at` as a view, and the position of the instant in them.

        Raises:
            UsageError: If `at` is outside the recording or its window does not fit.
        """
        at = self._instant(at, stream.name)
        frame = math.floor(at)
        self._check(frame, range(len(stream)), stream.name)
        if self.length is None:
            return stream, at
        start = max(frame - self.anchor, 0)
        return stream[start : min(frame - self.anchor + self.length, len(stream))], at - start

    def cut_events(self, cameras: Sequence[EventStream], at: float) -> tuple[EventStream, ...]:
        """The events of each camera in this window around `at`, in microseconds; times stay as they are.

        Raises:
            UsageError: If `at` is outside the recording or its window does not fit.
        """
        span = event_span(cameras)
        at = math.floor(self._instant(at, cameras[0].name))
        self._check(at, span, cameras[0].name)
        if self.length is None:
            return tuple(cameras)
        start = at - self.anchor
        return tuple(camera.between(start, start + self.length) for camera in cameras)

    def _instant(self, at: float, name: str) -> float:
        if isinstance(at, bool | np.bool_) or not isinstance(at, Real) or not abs(at) < 2**63:
            raise UsageError(f"{name}: an instant is the number of a {self._unit}, got {shown(at)}")
        if at == math.floor(at):
            return int(at)
        if self.fractional:
            return float(at)
        between = f"instant {at} lies between two {self._unit}s, this method takes whole ones"
        raise UsageError(f"{name}: {between}\n  try: {round(at)}")

    @property
    def _unit(self) -> str:
        return "frame" if self.unit == "frames" else "microsecond"

    def _check(self, at: int, span: range, name: str) -> None:
        if self.needs is not None:
            self.needs._check(at, span, name)
            return
        valid = self.valid(len(span), span.start)
        if at in valid:
            return
        unit = f"{self._unit}s"
        if at not in span:
            raise UsageError(f"{name}: instant {at} is outside the recording; {unit} are {span.start}..{span.stop - 1}")
        if not valid:
            raise UsageError(f"{name}: a window of {self.length} {unit} is longer than the recording of {len(span)}")
        raise UsageError(
            f"{name}: the window of {self.length} {unit} around instant {at} reaches outside the recording; "
            f"instants {valid[0]}..{valid[-1]} have one"
        )


def event_span(cameras: Sequence[EventStream]) -> range:
    """Microseconds from the first event of any camera to the last; empty if there are none."""
    held = [camera for camera in cameras if len(camera)]
    if not held:
        return range(0)
    return range(min(int(one.t[0]) for one in held), max(int(one.t[len(one) - 1]) for one in held) + 1)


def _streams(values: Iterable[EventStream]) -> tuple[EventStream, ...]:
    return tuple(values)


def _arrays(values: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    return {Data(kind): np.asarray(value) for kind, value in values.items()}


@attrs.frozen(eq=False, kw_only=True)
class Sample:
    """One item of a source: a recording or a clip, with whatever is known about it.

    Args:
        key: Names the item, unique in its source.
        spikes: The spike stream.
        events: One event stream per camera (stereo: left, right).
        frames: float32 (D, C, H, W) in [0, 1]: video frames from an ordinary camera. An object with `shape`, `len` and
            slices that are arrays will do, so that long videos are read as they are needed.
        frame_times: float64 (D,): when each of `frames` was taken, in spike frames (events: microseconds).
        target: Ground truth by kind, without the batch dimension: {"image": (C, H, W)}, {"depth": (1, H, W)}, …
        at: The frame of `spikes` (microsecond of `events`) the target belongs to; the middle one if not said.
        delay: How many frames after `at` the target really lies, where that is known; for methods that reconstruct
            between frames.
        label: Class number.
        text: A description.
        meta: Anything else; must be plain values.
    """

    key: str
    spikes: SpikeStream | None = None
    events: tuple[EventStream, ...] = attrs.field(default=(), converter=_streams)
    frames: Any = None
    frame_times: NDArray[np.float64] | None = None
    target: Mapping[str, NDArray[Any]] = attrs.field(factory=dict, converter=_arrays)
    at: float | None = None
    delay: float = 0.0
    label: int | None = None
    text: str | None = None
    meta: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def kinds(self) -> frozenset[Data]:
        """The inputs this sample carries."""
        held = {
            Data.SPIKES: self.spikes is not None,
            Data.EVENTS: bool(self.events),
            Data.FRAMES: self.frames is not None,
            Data.LABEL: self.label is not None,
            Data.TEXT: self.text is not None,
        }
        return frozenset(kind for kind, is_held in held.items() if is_held)

    @property
    def instant(self) -> float:
        """`at`, or the middle frame of the spike stream, or the middle of the time of the events."""
        if self.at is not None:
            return self.at
        if self.spikes is not None:
            return len(self.spikes) // 2
        span = event_span(self.events)
        return span[len(span) // 2] if span else 0

    def moment(self, window: Window) -> float:
        """The instant; where the ground truth really lies (`delay`), for a method that reconstructs between frames."""
        return self.instant + self.delay if window.fractional else self.instant

    def around(self, window: Window, at: float | None = None) -> Sample:
        """The same sample with only what lies in `window` around instant `at`, by default its `moment` (views).

        Windows in frames cut the spikes, and `at` counts from the first that is left; windows in microseconds cut the
        events, whose times stay as they are.
        """
        at = self.moment(window) if at is None else at
        if window.unit == "us":
            return attrs.evolve(self, events=window.cut_events(self.events, at), at=at) if self.events else self
        if self.spikes is None:
            return self
        spikes, position = window.cut(self.spikes, at)
        times = None if self.frame_times is None else np.asarray(self.frame_times, np.float64) - (at - position)
        return attrs.evolve(self, spikes=spikes, at=position, frame_times=times)

    def clip(self, start: int, stop: int) -> Sample:
        """Camera frames start..stop-1, with their true video and the spikes or events that belong to them.

        What lies between two camera frames belongs to the nearer one; the first also owns what lies before it, and the
        last what lies after it. So clips that follow each other share nothing and leave nothing out.

        Raises:
            UsageError: If there are no camera frames of that number, or nobody knows what belongs to them.
        """
        total = 0 if self.frames is None else len(self.frames)
        if self.frames is None or not 0 <= start < stop <= total:
            raise UsageError(f"{self.key}: camera frames {start}..{stop - 1} are not inside the {total} it has")
        changes: dict[str, Any] = {"frames": self.frames[start:stop]}
        video = self.target.get(Data.VIDEO)
        if video is not None and len(video) == total:
            changes["target"] = {**self.target, Data.VIDEO: video[start:stop]}
        if self.frame_times is not None:
            changes |= self._owned(start, stop, total)
            if changes["at"] is None and stop - start < total:  # the truth of an instant lies outside, or nobody knows
                kept = changes.get("target", self.target)
                changes |= {"delay": 0.0, "target": {kind: kept[kind] for kind in kept if kind == Data.VIDEO}}
        elif (self.spikes is not None or self.events) and stop - start < total:
            raise UsageError(f"{self.key}: camera frames whose times are not known cannot be clipped")
        return attrs.evolve(self, **changes)

    def _owned(self, start: int, stop: int, total: int) -> dict[str, Any]:
        """Spikes or events from midway to the frame before until midway to the frame after."""
        times = np.asarray(self.frame_times, np.float64)
        if self.spikes is not None and self.events:
            raise UsageError(f"{self.key} has both spikes and events, which cannot be clipped together")
        edges = [
            None if here in (0, total) else math.ceil((times[here - 1] + times[here]) / 2) for here in (start, stop)
        ]
        if self.spikes is None:
            span = event_span(self.events)
            first, last = (
                end if edge is None else edge for edge, end in zip(edges, (span.start, span.stop), strict=True)
            )
            return {
                "events": tuple(camera.between(first, last) for camera in self.events),
                "frame_times": times[start:stop],
                "at": self.at if self.at is not None and first <= self.at < last else None,
            }
        first, last = (
            end if edge is None else min(max(edge, 0), len(self.spikes))
            for edge, end in zip(edges, (0, len(self.spikes)), strict=True)
        )
        if first >= last:
            raise UsageError(f"{self.key}: no spikes belong to camera frames {start}..{stop - 1}, see frame_times")
        return {
            "spikes": self.spikes[first:last],
            "frame_times": times[start:stop] - first,
            "at": self.at - first if self.at is not None and first <= self.at < last else None,
        }
