"""Which inter-spike interval a pixel is given: the four rules in use.

Every rule takes the spikes around the instant, previous and next, and says what stands in for a missing one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import attrs
import torch

from spikecore import Window
from spikecore_plugin_classic.config import Rule

if TYPE_CHECKING:
    from spikecore.batch import SpikeBatch


@attrs.frozen(eq=False)
class Around:
    """What lies around the instant, in frames; tensors (N, 1, H, W) or of a shape that fits.

    Args:
        before: Frames back to the previous spike, -1 if there is none.
        after: Frames on to the next spike, -1 if there is none.
        position: Frames before the instant.
        ahead: Frames after the instant.
        search: Frames searched on either side; None for all of them.
    """

    before: torch.Tensor
    after: torch.Tensor
    position: torch.Tensor
    ahead: torch.Tensor
    search: int | None

    @property
    def silent(self) -> torch.Tensor:
        """Pixels without a spike on either side."""
        return (self.before < 0) & (self.after < 0)

    @property
    def unknown(self) -> torch.Tensor:
        """Pixels without a spike on one side or the other."""
        return (self.before < 0) | (self.after < 0)


@attrs.frozen
class IntervalRule:
    """One rule.

    Args:
        closed: "left": a spike at the instant starts the interval; "right": it ends it.
        search: The published number of frames searched on either side; None for all of them.
        interval: The interval in frames, 0 for none, int32.
        skips_frame_0: True if a spike in the first frame of the recording counts as none.
    """

    closed: Literal["left", "right"]
    search: int | None
    interval: Callable[[Around], torch.Tensor]
    skips_frame_0: bool = False

    def window(self, search: int | None) -> Window:
        """The frames searched; one more where frame 0 must be told from others, as only its window is clipped."""
        if search is None:
            return Window()
        return Window(2 * search + self.skips_frame_0, anchor=search, clip=True)

    def around(self, spikes: SpikeBatch, search: int | None) -> Around:
        """Previous and next spikes of streams that were cut to `window(search)`."""
        before, after = spikes.neighbours(search=search, closed=self.closed)
        position = torch.tensor(spikes.at, dtype=torch.int32, device=before.device).reshape(-1, 1, 1, 1)
        last = [len(stream) - 1 for stream in spikes.streams]
        ahead = torch.tensor(last, dtype=torch.int32, device=before.device).reshape(-1, 1, 1, 1) - position
        if self.skips_frame_0:
            # before == position only in a clipped window: elsewhere position is `search`, and before is less
            before = torch.where(before == position, -1, before)
        return Around(before, after, position, ahead, search)


def _longest(around: Around) -> torch.Tensor:
    """SpikeCV, one frame, and Spike-Zoo: 2·search if either spike is missing."""
    assert around.search is not None  # its published search is a number
    return torch.where(around.unknown, 2 * around.search, around.before + around.after)


def _none(around: Around) -> torch.Tensor:
    """SpikeCV, sequence: none before the first spike, after the last, or if longer than `search`."""
    assert around.search is not None  # its published search is a number
    interval = around.before + around.after
    return torch.where(around.unknown | (interval > around.search), 0, interval)


def _search_border(around: Around) -> torch.Tensor:
    """SSML's pseudo-labels: a missing spike lies `search` frames away, be it outside the recording."""
    assert around.search is not None  # its published search is a number
    before = torch.where(around.before < 0, around.search, around.before)
    return before + torch.where(around.after < 0, around.search, around.after)


def _clip_border(around: Around) -> torch.Tensor:
    """Spikling: missing spikes lie in the first and the last frame; before the first frame, in the frame before it."""
    before = torch.where(around.before < 0, around.position.clamp(min=1), around.before)
    return before + torch.where(around.after < 0, around.ahead, around.after)


RULES: Mapping[Rule, IntervalRule] = MappingProxyType(
    {
        Rule.FRAME: IntervalRule("left", 20, _longest, skips_frame_0=True),
        Rule.SEQUENCE: IntervalRule("right", 255, _none),
        Rule.SSML: IntervalRule("left", 12, _search_border, skips_frame_0=True),
        Rule.SPIKLING: IntervalRule("right", None, _clip_border),
    }
)
