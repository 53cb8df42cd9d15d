"""Pictures from a camera while it runs: push packed frames as they come, read an image at any moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore import kernels
from spikecore.data.spikes import Layout
from spikecore.errors import UsageError


class Live:
    """The causal state of a running spike camera: what is known from the frames so far.

    One thread may push while others read: each answer is the state after a whole push.

    Args:
        layout: How a frame lies in its bytes; `Layout(250, 400, flip=True)` for the raw frames of a 250×400 camera.
        window: Frames that `rate` averages.
        longest: Longest inter-spike interval told apart, in frames.

    >>> live = Live(Layout(1, 8), window=4)
    >>> live.push(np.array([[0b1], [0b0], [0b1], [0b0]], np.uint8))
    >>> live.rate()[0, :2].tolist(), live.intervals()[0, :2].tolist()
    ([0.5, 0.0], [2, 0])
    """

    def __init__(self, layout: Layout, window: int = 41, longest: int = 255) -> None:
        self.layout = layout
        self.window = window
        self._counts = kernels.CountState(layout.frame_bytes, window)
        self._intervals = kernels.IntervalState(layout.frame_bytes, longest)
        self._lock = RLock()  # reading works the newest frames in, so it changes the state as pushing does

    @property
    def frames(self) -> int:
        """Frames pushed so far."""
        with self._lock:
            return self._intervals.frames

    def push(self, packed: NDArray[np.uint8]) -> None:
        """Take in frames: uint8 (n, layout.frame_bytes), or one frame (layout.frame_bytes,)."""
        if packed.dtype != np.uint8 or packed.shape[-1] != self.layout.frame_bytes:
            expected = f"uint8 (n, {self.layout.frame_bytes})"
            raise UsageError(f"frames must be {expected}, got {packed.dtype} {packed.shape}")
        with self._lock:
            self._counts.push(packed)
            self._intervals.push(packed)

    def rate(self) -> NDArray[np.float32]:
        """Spikes per frame over the last `window` frames (or those there are), float32 (height, width)."""
        with self._lock:
            frames, counts = self.frames, self._counts.counts()
        if not frames:
            raise UsageError("no frames yet; push some first")
        return (self._picture(counts) / np.float32(min(frames, self.window))).astype(np.float32)

    def intervals(self) -> NDArray[np.int32]:
        """Length in frames of the last complete inter-spike interval, int32 (height, width); 0 where there is none."""
        with self._lock:
            intervals = self._intervals.intervals()
        return self._picture(intervals)

    def age(self) -> NDArray[np.int32]:
        """Frames since the last spike, int32 (height, width), saturating at `longest`."""
        with self._lock:
            age = self._intervals.age()
        return self._picture(age)

    def follow(self, chunks: Iterable[NDArray[np.uint8]]) -> Iterator[Live]:
        """Push each chunk of frames and yield this state: `for now in live.follow(camera): show(now.rate())`."""
        for chunk in chunks:
            self.push(chunk)
            yield self

    def _picture(self, flat: NDArray[Any]) -> NDArray[np.int32]:
        return np.ascontiguousarray(self.layout.image(flat), dtype=np.int32)
