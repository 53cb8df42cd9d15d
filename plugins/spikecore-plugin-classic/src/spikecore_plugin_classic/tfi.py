"""Texture from interval (TFI): one over the inter-spike interval at the instant.

Zhu, Dong, Huang, Tian, "A Retina-Inspired Sampling Method for Visual Texture Reconstruction", ICME 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import torch

from spikecore.kernels.compiled import compiled
from spikecore_plugin_classic.config import Silent
from spikecore_plugin_classic.intensity import spikes_of, with_gamma
from spikecore_plugin_classic.rules import RULES, StandIn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikecore import Batch, SpikeStream
    from spikecore_plugin_classic.config import TfiConfig


class Tfi:
    """rate = 1 / interval, in spikes per frame, 0 where there is no interval."""

    def __init__(self, config: TfiConfig) -> None:
        self.rule = RULES[config.rule]
        self.search = self.rule.search if config.search is None else config.search
        self.window = self.rule.window(self.search)
        self.blank_silent = config.silent is Silent.ZERO
        self.gamma = config.gamma

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """Float32 (N, 1, H, W) in [0, 1], of a batch that was cut to `window`."""
        spikes = spikes_of(batch)
        before, after = spikes.neighbours(search=self.search, closed=self.rule.closed)
        places = zip(spikes.streams, spikes.at, strict=True)
        missing = [self.stand_in(int(position), len(stream)) for stream, position in places]
        if before.device.type == "cpu":
            pairs = zip(before.numpy(), after.numpy(), missing, strict=True)
            rate = torch.from_numpy(np.stack([self.picture(*pair) for pair in pairs]))
        else:
            rate = torch.stack([self._rate(*pair) for pair in zip(before, after, missing, strict=True)])
        return with_gamma(rate, self.gamma)

    def session(self, stream: SpikeStream) -> TfiSession:
        """Images of one recording at any instants; the same values as `reconstruct`."""
        return TfiSession(self, stream)

    def stand_in(self, position: int, frames: int) -> StandIn:
        """What stands in for missing spikes at frame `position` of a window of `frames` frames."""
        return self.rule.stand_in(self.search or frames, position, frames - 1 - position)

    def picture(self, before: NDArray[np.int32], after: NDArray[np.int32], missing: StandIn) -> NDArray[np.float32]:
        """Float32 in the shape of the distances; one pass, where torch would take six and wake all its threads."""
        image = np.empty(before.shape, np.float32)
        _fill(before.ravel(), after.ravel(), image.ravel(), self.blank_silent, *attrs.astuple(missing))
        return image

    def _rate(self, before: torch.Tensor, after: torch.Tensor, missing: StandIn) -> torch.Tensor:
        before = torch.where(before == missing.ignored, -1, before)
        total = torch.where(before < 0, missing.before, before) + torch.where(after < 0, missing.after, after)
        interval = total.clamp(max=missing.cap)
        blank = interval > missing.longest
        if self.blank_silent:
            blank |= (before < 0) & (after < 0)
        return interval.to(torch.float32).reciprocal().masked_fill(blank, 0.0)


class TfiSession:
    """TFI of one recording, without torch."""

    def __init__(self, method: Tfi, stream: SpikeStream) -> None:
        self._method, self._stream = method, stream

    def image(self, at: int) -> NDArray[np.float32]:
        """Float32 (H, W), spikes per frame."""
        method = self._method
        cut, at_cut = method.window.cut(self._stream, at)
        position = int(at_cut)
        before, after = cut.neighbours(position, search=method.search, closed=method.rule.closed)
        return with_gamma(method.picture(before, after, method.stand_in(position, len(cut))), method.gamma)


@compiled
def _fill(
    before: NDArray[np.int32],
    after: NDArray[np.int32],
    image: NDArray[np.float32],
    blank_silent: bool,
    missing_before: int,
    missing_after: int,
    cap: int,
    longest: int,
    ignored: int,
) -> None:
    """`Tfi._rate` in one pass over flat arrays into `image`; 32 bits wide throughout, for vector instructions."""
    far_back, far_on, most, last = np.int32(missing_before), np.int32(missing_after), np.int32(cap), np.int32(longest)
    no_distance, none, one = np.int32(ignored), np.float32(0), np.float32(1)
    for pixel in range(len(image)):
        back, on = before[pixel], after[pixel]
        no_previous = (back < 0) | (back == no_distance)
        no_next = on < 0
        total = np.int32((far_back if no_previous else back) + (far_on if no_next else on))
        interval = min(total, most)
        blank = (interval > last) | (blank_silent & no_previous & no_next)
        image[pixel] = none if blank else one / np.float32(interval)
