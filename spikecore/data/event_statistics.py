"""What the events of a recording look like in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikecore.data.columns import BLOCK, outside
from spikecore.data.events import EventStream


def event_statistics(stream: EventStream) -> dict[str, Any]:
    """Numbers and times of a recording of any length, read in blocks.

    Returns:
        height, width, events, first_us, last_us, span_us, event_rate_hz (events per second; the times are None where
        there are none), events_on, events_off; where events lie outside the sensor, events_outside (how many) and
        first_outside (which, and where).
    """
    count = len(stream)
    report: dict[str, Any] = {"height": stream.height, "width": stream.width, "events": count}
    first, last = (int(stream.t[0]), int(stream.t[count - 1])) if count else (None, None)
    span = None if first is None or last is None else last - first
    report |= {"first_us": first, "last_us": last, "span_us": span}
    report["event_rate_hz"] = count / (span * 1e-6) if span and span > 0 else None
    rises, wrong, where = 0, 0, ""
    for start in range(0, count, BLOCK):
        x, y, p = (np.asarray(getattr(stream, field)[start : start + BLOCK]) for field in "xyp")
        rises += int(np.count_nonzero(p > 0))
        more, place = outside(x, y, (stream.height, stream.width), start)
        wrong, where = wrong + more, where or place
    report |= {"events_on": rises, "events_off": count - rises}
    if wrong:
        report |= {"events_outside": wrong, "first_outside": where}
    return report
