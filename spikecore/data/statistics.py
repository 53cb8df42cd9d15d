"""What the spikes of a recording look like in numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import attrs
import numpy as np

from spikecore.data.spikes import SpikeStream
from spikecore.errors import UsageError

INTERVAL_FRAMES = 2000
"""Intervals are taken from at most as many frames, as these are unpacked."""

_BYTES = 2**30
"""At most as many bytes are looked at, however large a frame is."""
_INTERVAL_PIXELS = 2**28
_BLOCK = 2**25
_PIXELS = 2**22
_HOLLOW = 0.5


def spike_statistics(stream: SpikeStream, frames: int = 20_000) -> dict[str, Any]:
    """Rates, silent pixels and inter-spike intervals over at most `frames` frames in the middle of a recording.

    Long recordings and large pictures take no longer and no more memory: at most 1 GiB of frames is looked at, of
    pictures above 4 million pixels the middle, and what was read from a mapped file is handed back at once.

    Returns:
        measured_frames ("first..last"), spike_rate (spikes per pixel and frame), pixel_rate_min/median/max,
        silent_pixels (share that never fired), interval_frames (as measured_frames), interval_mean (frames),
        interval_variation: the median over pixels of standard deviation / mean of the pixel's intervals (None where no
        pixel has three intervals). Only where they say something: zero_tail, how many frames at the end (of as many as
        were looked at) hold nothing but zero bytes, as interrupted copies do, and never_written, the share of the file
        that takes no room on the disk.

    Raises:
        UsageError: If `frames` is not above 0, or the recording has none.
    """
    if frames < 1:
        raise UsageError(f"statistics need at least 1 frame, got frames={frames}")
    stream = _middle(stream)
    most = max(1, min(len(stream), frames, _BYTES // stream.layout.frame_bytes))
    start = max(0, min(len(stream) // 2 - most // 2, len(stream) - most))
    part = stream[start : start + most]
    counts = np.zeros(part.shape[1:], np.int64)
    for block in _blocks(part):
        counts += block.counts()
    rates = counts / len(part)
    report: dict[str, Any] = {
        "measured_frames": f"{start}..{start + len(part) - 1}",
        "spike_rate": float(rates.mean()),
        "pixel_rate_min": float(rates.min()),
        "pixel_rate_median": float(np.median(rates)),
        "pixel_rate_max": float(rates.max()),
        "silent_pixels": float((counts == 0).mean()),
    }
    unpacked = max(64, _INTERVAL_PIXELS // (8 * stream.layout.frame_bytes))
    part = part[: min(INTERVAL_FRAMES, unpacked)]
    report |= {"interval_frames": f"{start}..{start + len(part) - 1}"} | _intervals(part)
    return report | _doubts(stream, most)


def _middle(stream: SpikeStream) -> SpikeStream:
    """The stream, or the middle of pictures that are very large."""
    height, width = stream.shape[1:]
    if height * width <= _PIXELS:
        return stream
    rows = min(height, max(_PIXELS // width, 2048))
    columns = min(width, _PIXELS // rows)
    return attrs.evolve(stream, layout=stream.layout.crop((height - rows) // 2, (width - columns) // 2, rows, columns))


def _blocks(stream: SpikeStream, most: int = _BLOCK) -> Iterator[SpikeStream]:
    """The stream in pieces, each of which leaves the memory again."""
    step = max(1, most // stream.layout.frame_bytes)
    for start in range(0, len(stream), step):
        yield stream[start : start + step]
        stream.release(start, start + step)


def _intervals(stream: SpikeStream) -> dict[str, Any]:
    total = np.zeros((stream.height, stream.width))
    square = np.zeros_like(total)
    number = np.zeros(total.shape, np.int32)
    last = np.full(total.shape, -1, np.int32)
    at = 0
    for block in _blocks(stream, _BLOCK // 8):
        for frame in block.unpack():
            fired = frame != 0
            known = fired & (last >= 0)
            gap = at - last[known]
            total[known] += gap
            square[known] += gap * gap
            number[known] += 1
            last[fired] = at
            at += 1
    several = number >= 3
    mean = total[several] / number[several]
    spread = np.sqrt(np.maximum(square[several] / number[several] - mean**2, 0))
    return {
        "interval_mean": float(total.sum() / number.sum()) if number.any() else None,
        "interval_variation": float(np.median(spread / mean)) if several.any() else None,
    }


def _doubts(stream: SpikeStream, most: int) -> dict[str, Any]:
    """What looks like frames that never arrived."""
    doubts: dict[str, Any] = {}
    tail = _zero_tail(stream[-most:])
    if tail:
        doubts["zero_tail"] = tail
    name = getattr(stream.packed, "filename", None)
    with suppress(OSError):
        status = os.stat(name) if name else None
        if status and getattr(status, "st_blocks", status.st_size) * 512 < _HOLLOW * status.st_size:
            doubts["never_written"] = 1 - status.st_blocks * 512 / status.st_size
    return doubts


def _zero_tail(stream: SpikeStream) -> int:
    step = max(1, _BLOCK // stream.layout.frame_bytes)
    for stop in range(len(stream), 0, -step):
        start = max(0, stop - step)
        used = np.flatnonzero(stream[start:stop].packed.any(axis=1))
        stream.release(start, stop)
        if len(used):
            return len(stream) - start - int(used[-1]) - 1
    return len(stream)
