from __future__ import annotations

import numpy as np
import pytest

from spikecore.errors import UsageError
from spikecore.sinks.events import FALLS, RISES, event_picture
from spikecore.sinks.open import write_picture

# what an eye without red (protan) or green (deutan) cones makes of linear RGB, after Viénot, Brettel and Mollon 1999
BLIND = {
    "protan": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, -0.0], [0.00401, -0.00401, 1.0]],
    "deutan": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, -0.0], [-0.02234, 0.02234, 1.0]],
}


def frames(rises=0, falls=0):
    counts = np.zeros((2, 4, 5), np.int32)
    counts[0, 1, 2], counts[1, 1, 2] = rises, falls
    return counts


def test_rises_are_blue_falls_vermilion_on_white():
    for counts, colour in [(frames(rises=3), RISES), (frames(falls=3), FALLS)]:
        picture = event_picture(counts)
        assert picture.shape == (4, 5, 3)
        assert picture.dtype == np.float32
        assert picture[1, 2] == pytest.approx(colour, abs=1e-6)
        picture[1, 2] = 1
        assert (picture == 1).all()


def test_no_events_are_a_white_picture():
    assert (event_picture(frames()) == 1).all()


def test_where_both_are_it_is_dark():
    assert event_picture(frames(2, 2))[1, 2].max() < 0.2


def test_fewer_events_are_paler_yet_seen():
    counts = np.zeros((2, 1, 101), np.int32)
    counts[0, 0] = np.arange(101)
    light = event_picture(counts, top=100)[0, :, 0]
    assert (np.diff(light) < 0).all()
    assert light[1] < 0.9
    assert (event_picture(counts, top=10)[0, 10:, 0] == 0).all()


def test_one_hot_pixel_does_not_pale_all_others():
    counts = np.random.default_rng(0).integers(0, 3, (2, 50, 50))
    counts[0, 0, 0] = 1_000_000
    counts[1, 5, 5], counts[0, 5, 5] = 2, 0
    assert event_picture(counts)[5, 5] == pytest.approx(FALLS, abs=1e-6)


@pytest.mark.parametrize("sight", BLIND)
def test_the_colours_are_told_apart_without_red_or_green_sight(sight):
    linear = np.array([RISES, FALLS, (1, 1, 1)]) ** 2.2
    seen = np.clip(linear @ np.array(BLIND[sight]).T, 0, 1) ** (1 / 2.2)
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert np.linalg.norm(seen[one] - seen[other]) > 0.4


def test_the_picture_can_be_written(tmp_path, read_png):
    picture = event_picture(frames(1, 0))
    assert np.array_equal(read_png(write_picture(picture, tmp_path / "e.png")), np.rint(255 * picture))


@pytest.mark.parametrize("shape", [(1, 4, 5), (4, 5), (3, 2, 4, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(UsageError, match=r"\(2, H, W\).*found"):
        event_picture(np.zeros(shape))


@pytest.mark.parametrize("value", [-1, np.nan, np.inf])
def test_what_cannot_be_counts_is_refused(value):
    with pytest.raises(UsageError, match="counts"):
        event_picture(np.full((2, 4, 5), value))


def test_a_top_of_nothing_is_refused():
    with pytest.raises(UsageError, match="top=0"):
        event_picture(frames(1, 1), top=0)
