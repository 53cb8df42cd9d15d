"""Which inter-spike interval a pixel is given: the four rules in use, as data.

All of them add the frames back to the previous spike and on to the next. They differ in the frames searched, in what
stands in for a missing spike, and in whether a spike at the instant starts the interval or ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import attrs

from spikecore import Window
from spikecore_plugin_classic.config import Rule

FAR = 2**29
"""Frames, more than any recording has; twice as many fit in int32."""


@attrs.frozen
class StandIn:
    """What counts at one instant of a recording, in frames.

    Args:
        before: Distance of a missing previous spike.
        after: Distance of a missing next spike.
        cap: Longer intervals count as this long.
        longest: Longer intervals than this count as none: the rate is 0.
        ignored: A previous spike so many frames back counts as missing; -2 for none.
    """

    before: int
    after: int
    cap: int = 2 * FAR
    longest: int = 2 * FAR
    ignored: int = -2


@attrs.frozen
class IntervalRule:
    """One rule.

    Args:
        closed: "left": a spike at the instant starts the interval; "right": it ends it.
        search: The published number of frames searched on either side; None for all of them.
        stand_in: From the number of frames searched, before the instant, and after it.
    """

    closed: Literal["left", "right"]
    search: int | None
    stand_in: Callable[[int, int, int], StandIn]

    def window(self, search: int | None) -> Window:
        """The frames at-search..at+search-1 for "right"; one more for "left", which searches all but the first."""
        return Window() if search is None else Window(2 * search + (self.closed == "left"), anchor=search, clip=True)


def _frame(search: int, position: int, ahead: int) -> StandIn:
    """SpikeCV, one frame, and Spike-Zoo: 2·search if either spike is missing; the index 0 doubles as "missing".

    Where frame 0 of the recording is searched, it lies `position` frames back. Elsewhere `position` is `search`, as the
    window begins one frame before those searched, and no spike found lies that far back.
    """
    return StandIn(FAR, FAR, cap=2 * search, ignored=position)


def _sequence(search: int, position: int, ahead: int) -> StandIn:
    """SpikeCV, sequence: none before the first spike, after the last, or if longer than its 8-bit table told apart."""
    return StandIn(FAR, FAR, longest=search)


def _ssml(search: int, position: int, ahead: int) -> StandIn:
    """SSML's pseudo-labels: the border of the search, be it outside the recording; frame 0 as in `_frame`."""
    return StandIn(search, search, ignored=position)


def _spikling(search: int, position: int, ahead: int) -> StandIn:
    """Spikling: the first and the last frame; at the first frame, the one before it."""
    return StandIn(max(position, 1), ahead)


RULES: Mapping[Rule, IntervalRule] = MappingProxyType(
    {
        Rule.FRAME: IntervalRule("left", 20, _frame),
        Rule.SEQUENCE: IntervalRule("right", 255, _sequence),
        Rule.SSML: IntervalRule("left", 12, _ssml),
        Rule.SPIKLING: IntervalRule("right", None, _spikling),
    }
)
