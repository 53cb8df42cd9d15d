"""Closed forms of spikling's two curve fits, from four spike times around an instant.

From the documented behaviour of github.com/lshpku/spikling (curve_brightness, curve_integral), where NumPy's `polyfit`
fits every pixel by itself. Times are relative to the instant, which also keeps the equations well conditioned at late
instants.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]


def brightness(times: Values) -> Values:
    """Spikes per frame at time 0, on the line of least squares through the rates of three intervals.

    Each interval counts as the point (its middle, 1 / its length). With n = 3 points x, y:
    slope = sum((x - mean x)(y - mean y)) / sum((x - mean x)²), and the line passes (mean x, mean y).

    Args:
        times: (4, ...), increasing along the first axis: two spikes before time 0, two at or after it.
    """
    x = (times[1:] + times[:-1]) / 2
    y = 1 / (times[1:] - times[:-1])
    x0, y0 = x.mean(axis=0), y.mean(axis=0)
    slope = ((x - x0) * (y - y0)).sum(axis=0) / np.square(x - x0).sum(axis=0)
    result: Values = y0 - slope * x0
    return result


def integral(times: Values) -> Values:
    """Spikes per frame at time 0: the slope there of the parabola of least squares through charge 0, 1, 2, 3.

    The charge collected since the first spike is a whole number at each spike. The parabola a + b·x + c·x² has normal
    equations in the sums S_k of x^k and T_k of charge·x^k; b follows by Cramer's rule.

    Args:
        times: As for `brightness`.
    """
    squares = times * times
    charge = np.arange(4.0).reshape(4, *[1] * (times.ndim - 1))
    s0, s1, s2 = 4.0, times.sum(axis=0), squares.sum(axis=0)
    s3, s4 = (squares * times).sum(axis=0), (squares * squares).sum(axis=0)
    t0, t1, t2 = 6.0, (charge * times).sum(axis=0), (charge * squares).sum(axis=0)
    whole = s0 * (s2 * s4 - s3 * s3) - s1 * (s1 * s4 - s2 * s3) + s2 * (s1 * s3 - s2 * s2)
    linear = s0 * (t1 * s4 - t2 * s3) - t0 * (s1 * s4 - s2 * s3) + s2 * (s1 * t2 - s2 * t1)
    result: Values = linear / whole
    return result
