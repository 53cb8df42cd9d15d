"""Log intensity that crosses thresholds: one step of an event camera."""

from __future__ import annotations

from typing import Any

from spikecore.kernels.compiled import compiled


@compiled
def crossings(
    before: Any,
    after: Any,
    reference: Any,
    on: Any,
    off: Any,
    drift: Any,
    quiet: Any,
    refractory: float,
    pixel: Any,
    time: Any,
    rise: Any,
) -> int:
    """Events while log intensity goes linearly from `before` to `after`; returns how many were written.

    An event happens where log intensity, with its drift, leaves `reference` by a threshold; the reference follows by
    that threshold, also when the pixel is still too tired to report it.

    Args:
        before: float32 (pixels,).
        after: float32 (pixels,).
        reference: float64 (pixels,), changed in place.
        on: float32 (pixels,), rise that makes an event.
        off: float32 (pixels,), fall that makes one.
        drift: float64 (pixels,), rise during the step that no light makes.
        quiet: float64 (pixels,), time until which a pixel does not report, in steps from now; changed in place.
        refractory: Steps that a pixel is quiet after an event.
        pixel: int32, written: pixel numbers.
        time: float64, written: 0..1 of the step.
        rise: bool, written: whether brightness rose.
    """
    written = 0
    for p in range(before.size):
        start, stop = float(before[p]), after[p] + drift[p]
        level = reference[p]
        up = stop > start
        threshold = on[p] if up else -off[p]
        while stop - level >= threshold if up else stop - level <= threshold:
            level += threshold
            moment = min(max((level - start) / (stop - start), 0.0), 1.0) if stop != start else 1.0
            if moment >= quiet[p]:
                pixel[written] = p
                time[written] = moment
                rise[written] = up
                written += 1
                quiet[p] = moment + refractory
        reference[p] = level - drift[p]
        quiet[p] -= 1.0
    return written
