"""Smooth random motion, known at any instant."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

_PERIODS = (60.0, 400.0)
"""Frames after which a change of speed repeats."""


@attrs.frozen(eq=False)
class Motion:
    """Places that move at speeds that change: p(t) = speed·t + sway·sin(2π·t / period + phase).

    Args:
        speed: float64 (...), per frame.
        sway: float64 (...).
        period: float64 (...), frames.
        phase: float64 (...).
    """

    speed: NDArray[np.float64]
    sway: NDArray[np.float64]
    period: NDArray[np.float64]
    phase: NDArray[np.float64]

    @classmethod
    def random(cls, largest: NDArray[np.float64], steady: float, random: np.random.Generator) -> Motion:
        """Draw motions whose speeds never exceed |largest|, of which the share `steady` is constant."""
        period = random.uniform(*_PERIODS, largest.shape)
        sway = (1 - steady) * largest * period / (2 * np.pi)
        return cls(steady * largest, sway, period, random.uniform(0, 2 * np.pi, largest.shape))

    def at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places at times (T,) in frames: (T, ...)."""
        t = t.reshape(-1, *(1,) * self.speed.ndim)
        return self.speed * t + self.sway * np.sin(2 * np.pi * t / self.period + self.phase)
