"""The reconstructors brightness-curve and integral-curve: a curve through the four spikes around the instant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from spikecore_plugin_spikling.curves import brightness, integral
from spikecore_plugin_spikling.intensity import filtered, reach, spikes_of
from spikecore_plugin_spikling.spike_times import two_spikes

if TYPE_CHECKING:
    from spikecore import Batch, SpikeStream
    from spikecore_plugin_spikling.config import CurveConfig

Values = NDArray[np.float64]
Fit = Callable[[Values], Values]

OFFSET = 30.0
"""Levels of 255 that the original adds."""


def with_stand_ins(stream: SpikeStream, at: int, fit: Fit) -> Values:
    """The curve at frame `at` by the original's rule, in spikes per frame, float64 (H, W); not clipped.

    The first and the last frame stand in for the nearest spikes if missing, the frames beyond them for the others. At
    frame 0, where the original fails, all of that lies one frame earlier.
    """
    times = np.array(two_spikes(stream, at), np.float64)
    last = len(stream) - 1
    missing = np.array([-1, 0, last, last + 1]) - np.array([at == 0, at == 0, 0, 0]) - at
    signs = np.array([-1, -1, 1, 1])
    return fit(np.stack([np.where(t < 0, m, s * t) for t, m, s in zip(times, missing, signs, strict=True)]))


def known(stream: SpikeStream, at: int, fit: Fit) -> Values:
    """The curve where all four spikes are known, else one over the interval, else 0; spikes per frame in [0, 1].

    One spike of the interval may be missing: the end of the recording stands in for it, as in `interval`.
    """
    older, before, after, later = two_spikes(stream, at)
    ends = max(at, 1), len(stream) - 1 - at
    interval = np.where(before < 0, ends[0], before) + np.where(after < 0, ends[1], after)
    image = np.where((before < 0) & (after < 0), 0.0, 1 / interval)
    whole = (older >= 0) & (later >= 0)
    times = np.stack([-older[whole], -before[whole], after[whole], later[whole]]).astype(np.float64)
    image[whole] = np.clip(fit(times), 0, 1)  # a pixel fires at most once a frame
    return image


class _Curve:
    """A curve fitted to the times of four spikes, at the instant; computed in main memory."""

    fit: Fit
    unit: float

    def __init__(self, config: CurveConfig) -> None:
        self.config = config
        self.window = reach(config.search)
        default = OFFSET if config.compat else 0.0
        self.offset = default if config.offset is None else config.offset

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """Float32 (N, 1, H, W), spikes per frame plus the offset, of a batch that was cut to `window`."""
        spikes = spikes_of(batch)
        places = zip(spikes.streams, spikes.at, strict=True)
        image = torch.from_numpy(np.stack([self._image(stream, int(at))[None] for stream, at in places]))
        return filtered(image, self.config.filters).to(spikes.device)

    def _image(self, stream: SpikeStream, at: int) -> Values:
        fit = type(self).fit
        if not self.config.compat:
            return known(stream, at, fit) + self.offset / 255
        levels = self.unit * with_stand_ins(stream, at, fit) + self.offset
        image: Values = np.floor(np.clip(levels, 0, 255)) / 255
        return image


class BrightnessCurve(_Curve):
    """A line through the rates of three intervals."""

    fit = staticmethod(brightness)
    unit = 255.0


class IntegralCurve(_Curve):
    """The slope of a parabola through the charge at four spikes, of which the original counts 256 each."""

    fit = staticmethod(integral)
    unit = 256.0
