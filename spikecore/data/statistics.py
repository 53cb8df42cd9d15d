"""What the spikes of a recording look like in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikecore.data.spikes import SpikeStream

INTERVAL_FRAMES = 2000
"""Intervals are taken from at most as many frames, as these are unpacked."""


def spike_statistics(stream: SpikeStream, frames: int = 20_000) -> dict[str, Any]:
    """Rates, silent pixels and inter-spike intervals over at most `frames` frames in the middle of a recording.

    Returns:
        measured_frames ("first..last"), spike_rate (spikes per pixel and frame), pixel_rate_min/median/max,
        silent_pixels (share that never fired), interval_frames (as measured_frames), interval_mean (frames),
        interval_variation: the median over pixels of standard deviation / mean of the pixel's intervals (None where no
        pixel has three intervals).
    """
    middle = len(stream) // 2
    start = max(0, middle - frames // 2)
    part = stream[start : min(len(stream), start + frames)]
    counts = part.counts()
    rates = counts / len(part)
    report: dict[str, Any] = {
        "measured_frames": f"{start}..{start + len(part) - 1}",
        "spike_rate": float(rates.mean()),
        "pixel_rate_min": float(rates.min()),
        "pixel_rate_median": float(np.median(rates)),
        "pixel_rate_max": float(rates.max()),
        "silent_pixels": float((counts == 0).mean()),
    }
    last = start + min(len(part), INTERVAL_FRAMES) - 1
    return report | {"interval_frames": f"{start}..{last}"} | _intervals(part[:INTERVAL_FRAMES])


def _intervals(stream: SpikeStream) -> dict[str, Any]:
    total = np.zeros((stream.height, stream.width))
    square = np.zeros_like(total)
    number = np.zeros_like(total)
    last = np.full((stream.height, stream.width), -1, np.int64)
    for start in range(0, len(stream), 64):
        for offset, frame in enumerate(stream[start : start + 64].unpack()):
            fired = frame != 0
            known = fired & (last >= 0)
            gap = (start + offset) - last[known]
            total[known] += gap
            square[known] += gap * gap
            number[known] += 1
            last[fired] = start + offset
    several = number >= 3
    mean = total[several] / number[several]
    spread = np.sqrt(np.maximum(square[several] / number[several] - mean**2, 0))
    return {
        "interval_mean": float(total.sum() / number.sum()) if number.any() else None,
        "interval_variation": float(np.median(spread / mean)) if several.any() else None,
    }
