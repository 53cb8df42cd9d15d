"""The data that contract tests are made of, and how shapes are judged."""

from __future__ import annotations

import numpy as np
import pytest

from spikecore import Data
from spikecore.testing import data
from spikecore.testing.checks import shape_fault


def test_constant_rates_are_what_they_say() -> None:
    rates = np.array([[0.0, 0.125, 1 / 3], [0.5, 0.9, 1.0]])
    counts = data.constant_rate(rates, 1000, (2, 3)).counts()
    assert np.abs(counts - 1000 * rates).max() <= 1
    intervals = data.constant_rate(0.25, 40, (5, 7)).intervals(20)
    assert (intervals == 4).all()


def test_phases_are_spread_evenly() -> None:
    counts = data.constant_rate(0.125, 4, (13, 17)).counts()
    assert counts.mean() == pytest.approx(0.5, abs=0.02)


def test_the_bar_is_where_it_is_said_to_be() -> None:
    frames = data.moving_bar(40, (3, 7), every=4).unpack()
    assert frames.sum() == 40 * 3
    assert [int(frame[0].argmax()) for frame in frames] == [t // 4 % 7 for t in range(40)]


def test_random_spikes_have_their_rate_and_are_seeded() -> None:
    stream = data.random_spikes(0.3, 500, (13, 17), seed=4)
    assert stream.counts().mean() == pytest.approx(150, rel=0.02)
    assert np.array_equal(stream.packed, data.random_spikes(0.3, 500, (13, 17), seed=4).packed)
    assert data.dark(5, (3, 4)).counts().max() == 0
    assert data.bright(5, (3, 4)).counts().min() == 5


def test_events_are_sorted_and_inside() -> None:
    events = data.event_stream(0.5, (13, 17), seed=2)
    assert len(events) == 2 * 13 * 17
    assert (np.diff(events.t) >= 0).all()
    assert events.frames([0, data.EVENT_SPAN]).sum() == len(events)
    assert len(data.event_stream(0, (13, 17))) == 0


def test_unknown_depth_is_in_the_ground_truth() -> None:
    one = data.sample(("spikes", "frames", "events", "label", "text"), data.Shape(cameras=2), targets=("depth", "flow"))
    assert one.kinds == {"spikes", "frames", "events", "label", "text"}
    assert len(one.events) == 2
    for kind in ("depth", "flow"):
        assert 0 < np.isnan(one.target[kind]).mean() < 0.3
    assert np.nanmin(one.target["depth"]) > 0


@pytest.mark.parametrize(
    ("kind", "shape", "fault"),
    [
        (Data.IMAGE, (2, 3, 5, 7), ""),
        (Data.VIDEO, (2, 9, 3, 5, 7), ""),
        (Data.DEPTH, (2, 1, 5, 7), ""),
        (Data.LABEL, (2, 10), ""),
        (Data.FEATURES, (2, 4, 4), ""),
        (Data.IMAGE, (2, 5, 7), "image has shape (2, 5, 7), expected (2, C, 5, 7)"),
        (Data.IMAGE, (1, 3, 5, 7), "image has shape (1, 3, 5, 7), expected (2, C, 5, 7)"),
        (Data.IMAGE, (2, 3, 4, 7), "image has shape (2, 3, 4, 7), expected (2, C, 5, 7)"),
        (Data.DEPTH, (2, 2, 5, 7), "depth has shape (2, 2, 5, 7), expected (2, 1, 5, 7)"),
        (Data.FLOW, (2, 1, 5, 7), "flow has shape (2, 1, 5, 7), expected (2, 2, 5, 7)"),
        (Data.FEATURES, (1, 4), "features has shape (1, 4), expected (2, ?)"),
    ],
)
def test_shapes_are_judged_by_kind(kind: Data, shape: tuple[int, ...], fault: str) -> None:
    assert shape_fault(kind, shape, items=2, size=(5, 7)) == fault
