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

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.component import Data
from spikecore.errors import UsageError
from spikecore.events import EventStream
from spikecore.spikes import SpikeStream


@attrs.frozen
class Window:
    """The spike frames a method needs around the instant it reconstructs.

    Args:
        length: Number of frames; None for the whole recording.
        anchor: Position of the instant among them, 0..length-1.
        clip: True if the method copes with fewer frames at the ends of a recording; else those instants are refused.
        needs: The part of these frames without which it does not cope; the rest is clipped at the ends.
    """

    length: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.gt(0)))
    anchor: int = 0
    clip: bool = False
    needs: Window | None = None

    def __attrs_post_init__(self) -> None:
        if self.length is not None and not 0 <= self.anchor < self.length:
            raise UsageError(f"a window of {self.length} frames has no frame {self.anchor} to be its anchor")

    @classmethod
    def centred(cls, length: int, clip: bool = False) -> Window:
        """`length` frames with the instant in the middle (the later middle of an even length)."""
        return cls(length, length // 2, clip)

    def valid(self, total: int) -> range:
        """The instants of a recording of `total` frames for which this window exists; may be empty."""
        if self.needs is not None:
            return self.needs.valid(total)
        if self.length is None or self.clip:
            return range(total)
        return range(self.anchor, total - (self.length - 1 - self.anchor))

    def cut(self, stream: SpikeStream, at: int) -> tuple[SpikeStream, int]:
        """The frames around instant `at` as a view, and the position of the instant in them.

        Raises:
            UsageError: If `at` is outside the recording or its window does not fit.
        """
        valid = self.valid(len(stream))
        if at not in valid:
            raise UsageError(self._misfit(stream, at, valid))
        if self.length is None:
            return stream, at
        start = max(at - self.anchor, 0)
        return stream[start : min(at - self.anchor + self.length, len(stream))], at - start

    def _misfit(self, stream: SpikeStream, at: int, valid: range) -> str:
        if self.needs is not None:
            return self.needs._misfit(stream, at, valid)
        if not 0 <= at < len(stream):
            return f"{stream.name}: instant {at} is outside the recording; frames are 0..{len(stream) - 1}"
        if not valid:
            return f"{stream.name}: a window of {self.length} frames is longer than the recording of {len(stream)}"
        return (
            f"{stream.name}: the window of {self.length} frames around instant {at} reaches outside the recording; "
            f"instants {valid[0]}..{valid[-1]} have one"
        )


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
        frames: float32 (D, C, H, W) in [0, 1]: video frames from an ordinary camera.
        frame_times: float64 (D,): when each of `frames` was taken, in spike frames (events: microseconds).
        target: Ground truth by kind, without the batch dimension: {"image": (C, H, W)}, {"depth": (1, H, W)}, …
        at: The frame of `spikes` the target belongs to; the middle one if not said.
        label: Class number.
        text: A description.
        meta: Anything else; must be plain values.
    """

    key: str
    spikes: SpikeStream | None = None
    events: tuple[EventStream, ...] = attrs.field(default=(), converter=_streams)
    frames: NDArray[np.float32] | None = None
    frame_times: NDArray[np.float64] | None = None
    target: Mapping[str, NDArray[Any]] = attrs.field(factory=dict, converter=_arrays)
    at: int | None = None
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
    def instant(self) -> int:
        """`at`, or the middle frame of the spike stream."""
        if self.at is not None:
            return self.at
        return len(self.spikes) // 2 if self.spikes is not None else 0

    def around(self, window: Window, at: int | None = None) -> Sample:
        """The same sample with only the spike frames of `window` around instant `at` (views)."""
        if self.spikes is None:
            return self
        spikes, position = window.cut(self.spikes, self.instant if at is None else at)
        return attrs.evolve(self, spikes=spikes, at=position)
