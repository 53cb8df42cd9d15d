"""State of a live stream, pushed frame by frame: age and last interval of every pixel, or counts of the last frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.kernels._check import unsigned, whole

HELD = 16  # frames kept before they are worked in together: a pixel's state is loaded and stored once for all of them


class _Live(ABC):
    """The newest frames of a stream in a ring: `kept` ones, zeros before the first, and up to 16 not yet worked in."""

    def __init__(self, bytes_per_frame: int, kept: int) -> None:
        width = whole("bytes_per_frame", bytes_per_frame, 1)
        # An odd number of cache lines to a row, or the rows of one pixel would compete for few places in the cache.
        self._stride = 64 * (-(-width // 64) | 1)
        self._ring: NDArray[np.uint8] = np.zeros((kept + HELD, self._stride), np.uint8)
        self._rows = self._ring[:, :width]
        self._width = width
        self._place = self._waiting = self._frames = 0

    @property
    def frames(self) -> int:
        """Frames pushed so far."""
        return self._frames

    def push(self, packed: NDArray[np.uint8]) -> None:
        """Go on by one frame (bytes,) or several (frames, bytes).

        Raises:
            TypeError: If this is no uint8 array.
            ValueError: If frames have another size.
        """
        if not isinstance(packed, np.ndarray) or packed.dtype != np.uint8:
            found = getattr(packed, "dtype", type(packed).__name__)
            raise TypeError(f"packed frames must be a uint8 array, got {found}")
        if packed.ndim not in (1, 2) or packed.shape[-1] != self._width:
            raise ValueError(f"frames must have shape ({self._width},) or (frames, {self._width}), got {packed.shape}")
        if packed.ndim == 1:  # the common case of a live camera, where every microsecond counts
            self._rows[self._place] = packed
            self._took(1)
            return
        while len(packed):
            count = min(len(packed), HELD - self._waiting, len(self._rows) - self._place)
            self._rows[self._place : self._place + count] = packed[:count]
            self._took(count)
            packed = packed[count:]

    def _took(self, count: int) -> None:
        self._frames += count
        self._place = (self._place + count) % len(self._rows)
        self._waiting += count
        if self._waiting == HELD:
            self._work_in()

    @abstractmethod
    def _work_in(self) -> None:
        """Bring the state up to the newest frame."""

    def _runs(self, back: int) -> Iterator[tuple[int, int, int]]:
        """The waiting frames in runs: address of the first, of the one `back` frames before it, number of frames."""
        size, base = len(self._rows), self._ring.ctypes.data
        while self._waiting:
            first = self._frames - self._waiting
            new, old = first % size, (first - back) % size
            count = min(self._waiting, size - new, size - old)
            self._waiting -= count
            yield base + new * self._stride, base + old * self._stride, count


class IntervalState(_Live):
    """Age and last complete inter-spike interval of every pixel of a live stream.

    Pushing is cheap and causal; the state may be read after any frame.

    Args:
        bytes_per_frame: Bytes of a packed frame; it has 8 pixels to a byte.
        longest: Longest interval told from an unknown one, frames, 1..65535; up to 255 takes half the memory.

    >>> state = IntervalState(1)
    >>> state.push(np.array([[1], [0], [1], [0]], np.uint8))
    >>> state.intervals()[:2].tolist(), int(state.age()[0])
    ([2, 0], 1)
    """

    def __init__(self, bytes_per_frame: int, longest: int = 255) -> None:
        super().__init__(bytes_per_frame, 0)
        self.longest = whole("longest", longest, 1, 65535)
        self._pixels = 8 * self._width
        # What is left of the longest interval: of the open one, and of the last one when it ended. 0 is unknown.
        self._left, self._ended = np.zeros((2, -(-self._pixels // 64) * 64), unsigned(self.longest))

    def age(self) -> NDArray[Any]:
        """Frames since the last spike of each pixel, (pixels,): 0 if the newest frame has one, at most `longest`."""
        self._work_in()
        age: NDArray[Any] = np.subtract(self.longest, self._left[: self._pixels], dtype=self._left.dtype)
        return age

    def intervals(self) -> NDArray[Any]:
        """Frames between the last two spikes of each pixel, (pixels,); 0 where unknown or longer than `longest`."""
        self._work_in()
        ended = self._ended[: self._pixels]
        # longest + 1 may be one more than the dtype holds; it wraps to 0, and the difference is right all the same.
        beyond = np.array(self.longest + 1).astype(ended.dtype)
        intervals: NDArray[Any] = np.where(ended, beyond - ended, ended)
        return intervals

    def _work_in(self) -> None:
        from spikecore.kernels._intervals import advance

        for new, _, count in self._runs(0):
            advance(new, self._stride, count, self.longest, self._width, self._left, self._ended)


class CountState(_Live):
    """Spikes per pixel in the last `window` frames of a live stream, or in all of them while they are fewer.

    Args:
        bytes_per_frame: Bytes of a packed frame; it has 8 pixels to a byte.
        window: Frames counted; as many are kept, packed.

    >>> state = CountState(1, window=2)
    >>> state.push(np.array([[1], [1], [1]], np.uint8))
    >>> state.counts()[:2].tolist()
    [2, 0]
    """

    def __init__(self, bytes_per_frame: int, window: int) -> None:
        self.window = whole("window", window, 1, 2**32 - 1)
        super().__init__(bytes_per_frame, self.window)
        self._pixels = 8 * self._width
        self._counted = np.zeros(-(-self._pixels // 64) * 64, unsigned(self.window))

    def counts(self) -> NDArray[Any]:
        """Spikes per pixel, (pixels,): uint8 for windows up to 255 frames, uint16 up to 65535, else uint32."""
        self._work_in()
        return self._counted[: self._pixels].copy()

    def _work_in(self) -> None:
        from spikecore.kernels._counts import advance

        for new, old, count in self._runs(self.window):
            advance(new, old, self._stride, count, self._width, self._counted)
