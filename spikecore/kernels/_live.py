"""State of a live stream, pushed frame by frame: the age and last interval of every pixel, counts of the last frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.kernels._check import unsigned, whole

HELD = 32  # frames kept before they are worked in together: a pixel's state is loaded and stored once for all of them


class _Ring:
    """The newest frames: `kept` ones that count, zeros before the first, and up to 32 that wait to be worked in."""

    def __init__(self, bytes_per_frame: int, kept: int) -> None:
        self.width = whole("bytes_per_frame", bytes_per_frame, 1)
        # An odd number of cache lines to a row, or the rows of one pixel would compete for few places in the cache.
        self.stride = 64 * (-(-self.width // 64) | 1)
        self.rows: NDArray[np.uint8] = np.zeros((kept + HELD, self.stride), np.uint8)
        self.frames = 0
        self.waiting = 0

    def checked(self, packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """New frames (frames, bytes).

        Raises:
            TypeError: If this is no uint8 array.
            ValueError: If frames have another size.
        """
        if not isinstance(packed, np.ndarray) or packed.dtype != np.uint8:
            raise TypeError(f"packed frames must be a uint8 array, got {getattr(packed, 'dtype', type(packed).__name__)}")
        if packed.ndim not in (1, 2) or packed.shape[-1] != self.width:
            raise ValueError(f"frames must have shape ({self.width},) or (frames, {self.width}), got {packed.shape}")
        return packed if packed.ndim == 2 else packed[None]

    def take(self, packed: NDArray[np.uint8]) -> int:
        """Copy in as many frames as there is room for before the waiting ones must be worked in; how many were."""
        place = self.frames % len(self.rows)
        count = min(len(packed), HELD - self.waiting, len(self.rows) - place)
        self.rows[place : place + count, : self.width] = packed[:count]
        self.frames += count
        self.waiting += count
        return count

    def runs(self, back: int) -> Iterator[tuple[int, int, int]]:
        """The waiting frames in runs: address of the first, of the one `back` frames before it, number of frames."""
        size, base = len(self.rows), self.rows.ctypes.data
        while self.waiting:
            first = self.frames - self.waiting
            new, old = first % size, (first - back) % size
            count = min(self.waiting, size - new, size - old)
            self.waiting -= count
            yield base + new * self.stride, base + old * self.stride, count


class IntervalState:
    """Age and last complete inter-spike interval of every pixel of a live stream.

    Pushing is cheap and causal; the state may be read after any frame.

    Args:
        bytes_per_frame: Bytes of a packed frame; it has 8 pixels to a byte.
        longest: Longest interval told from an unknown one, frames, 1..65535; up to 255 takes half the memory.

    >>> state = IntervalState(1)
    >>> state.push(np.array([[1], [0], [1], [0]], np.uint8))
    >>> state.intervals()[0], state.age()[0], state.intervals()[1]
    (np.uint8(2), np.uint8(1), np.uint8(0))
    """

    def __init__(self, bytes_per_frame: int, longest: int = 255) -> None:
        self._ring = _Ring(bytes_per_frame, 0)
        self.longest = whole("longest", longest, 1, 65535)
        pixels = 8 * self._ring.width
        # What is left of the longest interval: of the open one, and of the last one when it ended. 0 is unknown.
        self._left, self._ended = np.zeros((2, -(-pixels // 64) * 64), unsigned(self.longest))
        self._pixels = pixels

    @property
    def frames(self) -> int:
        """Frames pushed so far."""
        return self._ring.frames

    def push(self, packed: NDArray[np.uint8]) -> None:
        """Go on by one frame (bytes,) or several (frames, bytes).

        Raises:
            TypeError: If this is no uint8 array.
            ValueError: If frames have another size.
        """
        rest = self._ring.checked(packed)
        while len(rest):
            rest = rest[self._ring.take(rest) :]
            if self._ring.waiting == HELD or len(rest):
                self._work()

    def age(self) -> NDArray[Any]:
        """Frames since the last spike of each pixel, (pixels,): 0 if the newest frame has one, at most `longest`."""
        self._work()
        return np.subtract(self.longest, self._left[: self._pixels], dtype=self._left.dtype)

    def intervals(self) -> NDArray[Any]:
        """Frames between the last two spikes of each pixel, (pixels,); 0 where unknown or longer than `longest`."""
        self._work()
        ended = self._ended[: self._pixels]
        # Unsigned numbers wrap: longest + 1 may be one more than they hold, and the difference still is right.
        first = np.array(self.longest + 1).astype(ended.dtype)
        return np.where(ended, first - ended, ended)

    def _work(self) -> None:
        from spikecore.kernels import _intervals

        ring = self._ring
        for new, _, count in ring.runs(0):
            _intervals.advance(new, ring.stride, count, self.longest, ring.width, self._left, self._ended)


class CountState:
    """Spikes per pixel in the last `window` frames of a live stream, or in all of them while they are fewer.

    Args:
        bytes_per_frame: Bytes of a packed frame; it has 8 pixels to a byte.
        window: Frames counted; as many are kept, packed.

    >>> state = CountState(1, window=2)
    >>> state.push(np.array([[1], [1], [1]], np.uint8))
    >>> state.counts()[:2]
    array([2, 0], dtype=uint8)
    """

    def __init__(self, bytes_per_frame: int, window: int) -> None:
        self.window = whole("window", window, 1, 2**32 - 1)
        self._ring = _Ring(bytes_per_frame, self.window)
        self._pixels = 8 * self._ring.width
        self._counted = np.zeros(-(-self._pixels // 64) * 64, unsigned(self.window))

    @property
    def frames(self) -> int:
        """Frames pushed so far."""
        return self._ring.frames

    def push(self, packed: NDArray[np.uint8]) -> None:
        """Go on by one frame (bytes,) or several (frames, bytes).

        Raises:
            TypeError: If this is no uint8 array.
            ValueError: If frames have another size.
        """
        rest = self._ring.checked(packed)
        while len(rest):
            rest = rest[self._ring.take(rest) :]
            if self._ring.waiting == HELD or len(rest):
                self._work()

    def counts(self) -> NDArray[Any]:
        """Spikes per pixel, (pixels,): uint8 for windows up to 255 frames, uint16 up to 65535, else uint32."""
        self._work()
        return self._counted[: self._pixels].copy()

    def _work(self) -> None:
        from spikecore.kernels import _counts

        ring = self._ring
        for new, old, count in ring.runs(self.window):
            _counts.advance(new, old, ring.stride, count, ring.width, self._counted)
