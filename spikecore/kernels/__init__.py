"""Counts and inter-spike intervals straight from packed spikes, at the speed of the memory.

`packed` is uint8 (frames, bytes per frame) everywhere: pixel p of a frame is bit p % 8, least significant first, of
byte p // 8, so that a frame has 8 pixels to a byte. It may be a read-only memory map, a slice or every n-th frame of
one. NumPy arrays go through compiled kernels (numba, imported and compiled on the first call, then kept on disk);
torch tensors through torch operations on their own device, with the same values in the nearest torch dtype.

Frames of which the last byte is partly unused give values for the unused bits too; the caller crops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikecore.kernels import _check
from spikecore.kernels._check import Closed
from spikecore.kernels._live import CountState, IntervalState
from spikecore.kernels._threads import share

if TYPE_CHECKING:
    import torch

    Packed: TypeAlias = NDArray[np.uint8] | torch.Tensor

__all__ = [
    "CountState",
    "IntervalState",
    "counts",
    "intervals",
    "neighbours",
    "pack",
    "sliding_counts",
    "sliding_intervals",
    "unpack",
]


def pack(frames: NDArray[Any]) -> NDArray[np.uint8]:
    """Frames (frames, pixels) of 0 and 1, or bool, as packed bits (frames, ceil(pixels / 8)); unused bits are 0.

    Raises:
        ValueError: If the array has other dimensions or other values.

    >>> pack(np.array([[1, 0, 0, 0, 0, 0, 0, 0, 1]]))
    array([[1, 1]], dtype=uint8)
    """
    frames = np.asarray(frames)
    if frames.ndim != 2:
        raise ValueError(f"frames must have shape (frames, pixels), got {frames.shape}")
    if frames.dtype != np.bool_ and not ((frames == 0) | (frames == 1)).all():
        raise ValueError("frames must hold 0 and 1 only; compare with a threshold first, as in pack(frames > 0)")
    return np.packbits(frames != 0, axis=1, bitorder="little")


def unpack(packed: Packed, pixels: int | None = None, *, out: Any = None, threads: int = 1) -> Any:
    """Spikes as uint8 (frames, pixels) of 0 and 1.

    Args:
        packed: Packed frames (frames, bytes).
        pixels: Pixels of a frame, the first ones; all 8 × bytes by default.
        out: Where to write them: uint8 (frames, pixels), C-contiguous.
        threads: Threads to share the frames.

    Raises:
        TypeError: If an argument has the wrong type or dtype.
        ValueError: If an argument has the wrong shape or range.
    """
    rows = _check.packed_frames(packed)
    most = 8 * rows.shape[1]
    pixels = most if pixels is None else _check.whole("pixels", pixels, 1, most)
    threads = _check.whole("threads", threads, 1)
    if _check.is_tensor(rows):
        from spikecore.kernels import _torch

        return _torch.unpack(rows, pixels, out)
    from spikecore.kernels._pixels import unpack as kernel

    result = _check.result(out, (len(rows), pixels), np.uint8)
    address, stride, past_cache = rows.ctypes.data, rows.strides[0], _check.past_cache(result)
    share(lambda a, b: kernel(address, stride, a, b, result, past_cache), len(rows), threads=threads, unit=1)
    return result


def counts(packed: Packed, start: int = 0, stop: int | None = None, *, threads: int = 1) -> Any:
    """Spikes per pixel in frames start..stop-1, (pixels,), unsigned.

    The dtype is the smallest that holds the number of frames: uint8 up to 255, uint16 up to 65535, else uint32.
    Carry-save adders count 15 frames at a time in four bit planes.

    Raises:
        TypeError: If an argument has the wrong type or dtype.
        ValueError: If the frames are not inside the stream.
    """
    rows = _check.packed_frames(packed)
    stop = _check.whole("stop", len(rows) if stop is None else stop, 0, len(rows))
    start = _check.whole("start", start, 0, stop)
    threads = _check.whole("threads", threads, 1)
    if _check.is_tensor(rows):
        from spikecore.kernels import _torch

        return _torch.counts(rows, start, stop)
    from spikecore.kernels._counts import counts as kernel

    part = rows[start:stop]
    result = np.empty(8 * rows.shape[1], _check.unsigned(len(part)))
    address, stride = part.ctypes.data, part.strides[0]
    share(lambda a, b: kernel(address, stride, len(part), a, b, result), rows.shape[1], threads=threads)
    return result


def sliding_counts(packed: Packed, window: int, *, out: Any = None, threads: int = 1) -> Any:
    """Spikes per pixel in every run of `window` frames: row i, (pixels,), counts frames i..i+window-1.

    The result has the shape (frames - window + 1, pixels). It is the sum of the first window, moved on frame by frame.

    Args:
        packed: Packed frames (frames, bytes).
        window: Frames counted together.
        out: Where to write the counts: C-contiguous, uint8 for windows up to 255, uint16 up to 65535, else uint32.
        threads: Threads to share the pixels.

    Raises:
        TypeError: If an argument has the wrong type or dtype.
        ValueError: If the stream is shorter than the window, or an argument has the wrong shape or range.
    """
    rows = _check.packed_frames(packed)
    window = _check.whole("window", window, 1)
    threads = _check.whole("threads", threads, 1)
    if window > len(rows):
        raise ValueError(f"a window of {window} frames is longer than the stream of {len(rows)}")
    if _check.is_tensor(rows):
        from spikecore.kernels import _torch

        return _torch.sliding_counts(rows, window, out)
    from spikecore.kernels._counts import sliding_counts as kernel

    shape = len(rows) - window + 1, 8 * rows.shape[1]
    result = _check.result(out, shape, _check.unsigned(window))
    begin = counts(rows, 0, window)
    address, stride, past_cache = rows.ctypes.data, rows.strides[0], _check.past_cache(result)
    share(lambda a, b: kernel(address, stride, window, a, b, begin, result, past_cache), rows.shape[1], threads=threads)
    return result


def neighbours(packed: Packed, at: int, *, search: int | None = None, closed: Closed = "right") -> tuple[Any, Any]:
    """Frames from `at` back to the previous spike of each pixel and on to the next, int32 (pixels,); -1 for none.

    Args:
        packed: Packed frames (frames, bytes).
        at: Frame number.
        search: Frames looked at on either side, as far as there are any; None for the whole stream.
        closed: "right": intervals are (previous, next]; the previous spike is looked for in at-search..at-1, the next
            in at..at+search-1. "left": they are [previous, next), in at-search+1..at and at+1..at+search.

    Raises:
        IndexError: If `at` is outside the stream.
        TypeError: If an argument has the wrong type or dtype.
        ValueError: If an argument has the wrong shape or range.
    """
    rows = _check.packed_frames(packed)
    shift = _check.shift(closed)
    at, search = _check.reach(len(rows), at, search)
    if _check.is_tensor(rows):
        from spikecore.kernels import _torch

        return _torch.neighbours(rows, at + shift, search, shift)
    from spikecore.kernels._neighbours import first_spikes

    width, stride = rows.shape[1], rows.strides[0]
    border = rows.ctypes.data + (at + shift) * stride
    before, after = np.empty((2, 8 * width), np.int32)
    first_spikes(border - stride, -stride, min(search, at + shift), 1 - shift, width, before)
    first_spikes(border, stride, min(search, len(rows) - at - shift), shift, width, after)
    return before, after


def intervals(packed: Packed, at: int, *, search: int | None = None, closed: Closed = "right") -> Any:
    """Length in frames of the inter-spike interval that covers frame `at`, int32 (pixels,); 0 where unknown.

    It is the sum of the two distances that `neighbours` gives; the arguments and errors are the same.
    """
    before, after = neighbours(packed, at, search=search, closed=closed)
    if _check.is_tensor(before):
        from spikecore.kernels import _torch

        return _torch.join(before, after)
    from spikecore.kernels._neighbours import join

    join(before, after)
    return before


def sliding_intervals(
    packed: Packed, *, closed: Closed = "right", longest: int = 255, out: Any = None, threads: int = 1
) -> Any:
    """`intervals` at every frame, (frames, pixels), unsigned; 0 where unknown or longer than `longest`.

    Args:
        packed: Packed frames (frames, bytes).
        closed: "right" if a frame with a spike belongs to the interval that ends there, "left" if that starts there.
        longest: Longest interval told from an unknown one, frames, 1..65535.
        out: Where to write the lengths: C-contiguous, uint8 for `longest` up to 255, else uint16.
        threads: Threads to share the pixels.

    Raises:
        TypeError: If an argument has the wrong type or dtype.
        ValueError: If an argument has the wrong shape or range.
    """
    rows = _check.packed_frames(packed)
    shift = _check.shift(closed)
    longest = _check.whole("longest", longest, 1, 65535)
    threads = _check.whole("threads", threads, 1)
    if _check.is_tensor(rows):
        from spikecore.kernels import _torch

        return _torch.sliding_intervals(rows, shift, longest, out)
    from spikecore.kernels._intervals import sliding_intervals as kernel

    frames, width = rows.shape
    result = _check.result(out, (frames, 8 * width), _check.unsigned(longest))
    # Closed on the right, an interval covers the same frames one later; the first frame has nothing before it.
    kept = result if shift else result[1:]
    result[: 1 - shift] = 0
    address, stride, past_cache = rows.ctypes.data, rows.strides[0], _check.past_cache(result)
    share(lambda a, b: kernel(address, stride, frames, longest, a, b, kept, past_cache), width, threads=threads)
    return result
