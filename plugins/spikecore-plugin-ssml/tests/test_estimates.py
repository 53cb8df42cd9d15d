"""What a pixel's spikes say, against loops over their frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_ssml.estimates import curve, interval, intervals, mixed_label

MIDDLE = 20
PIXEL = st.lists(st.booleans(), min_size=41, max_size=41).map(np.array)
"""Spikes of one pixel."""


def of_pixel(estimate, fired):
    return float(estimate(torch.from_numpy(fired.astype(np.float32)).view(1, -1, 1, 1)))


def naive_interval(fired, at):
    """Reciprocal of the interval with spikes at or before `at` and after; None where it is not whole."""
    times = np.flatnonzero(fired)
    before, after = times[times <= at], times[times > at]
    return 1 / (after[0] - before[-1]) if len(before) and len(after) else None


def naive_mixed(fired):
    middle = naive_interval(fired, MIDDLE)
    if middle is None or middle < 1 / 8:
        return fired[MIDDLE - 4 : MIDDLE + 5].mean()
    return np.mean([naive_interval(fired, at) or 0 for at in range(MIDDLE - 2, MIDDLE + 3)])


@given(PIXEL)
def test_interval(fired):
    wanted = naive_interval(fired, MIDDLE)
    assert of_pixel(interval, fired) == pytest.approx(fired.mean() if wanted is None else wanted, rel=1e-6)


@given(PIXEL, st.integers(1, MIDDLE))
def test_mean_of_the_whole_intervals_near_the_middle(fired, reach):
    estimate = intervals(torch.from_numpy(fired.astype(np.float32)).view(1, -1, 1, 1), reach)
    times = np.flatnonzero(fired[MIDDLE - reach : MIDDLE + reach + 1])
    assert bool(estimate.known) == (len(times) > 1)
    if len(times) > 1:
        assert float(estimate.rate) == pytest.approx(1 / np.diff(times).mean(), rel=1e-6)
        assert float(estimate.span) == pytest.approx((times[-1] - times[0]) / (2 * reach), rel=1e-6)
    else:
        assert float(estimate.rate) == float(estimate.span) == 0


@given(PIXEL)
def test_mixed_label(fired):
    assert of_pixel(mixed_label, fired) == pytest.approx(
        naive_mixed(fired), abs=2e-3
    )  # no spike counts as one far away


@given(PIXEL)
def test_curve_is_the_slope_of_the_parabola_through_four_spikes(fired):
    estimate = curve(torch.from_numpy(fired.astype(np.float32)).view(1, -1, 1, 1))
    times = np.flatnonzero(fired)
    before, after = times[times < MIDDLE][-2:], times[times >= MIDDLE][:2]
    assert bool(estimate.known) == (len(before) == len(after) == 2)
    if estimate.known:
        wanted = np.polyfit(np.r_[before, after] - MIDDLE, [0, 1, 2, 3], 2)[1].clip(0, 1)
        assert float(estimate.rate) == pytest.approx(wanted, abs=1e-5)
        assert float(estimate.span) == pytest.approx((after[1] - before[0]) / 40, rel=1e-6)
    else:
        assert float(estimate.rate) == float(estimate.span) == 0
