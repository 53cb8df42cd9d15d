"""Videos clip by clip: in constant memory, each frame as soon as no later clip touches it."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from spikecore.data.kinds import Data
from spikecore.data.sample import Window
from spikecore.errors import Interrupted, UsageError
from spikecore.runner.prepare import Pipeline
from spikecore.runner.tiles import squares

from .models import Frames, filmed, method_of, plain


def pipeline(**run):
    return Pipeline(method_of(Frames(), "video", consumes=("frames", "spikes"), **run))


def whole(sample):
    """The video computed at once, from frames in memory."""
    return pipeline().outputs(sample)[Data.VIDEO]


def in_flight():
    return [thread for thread in threading.enumerate() if thread.name == "spikecore-ahead"]


CLIPS = {"tile_frames": 6, "overlap_frames": 2}


def test_a_video_is_computed_at_once_unless_clips_are_asked_for():
    sample = filmed(7)
    assert whole(sample).shape == (7, 6, 8, 3)
    made = pipeline()
    assert [at for at, _ in made.stream(sample)] == list(range(7))
    assert made.model.given == [7]


@pytest.mark.parametrize(
    "run",
    [
        {"tile_frames": 3, "overlap_frames": 1},
        {"tile_frames": 3, "overlap_frames": 1, "tile": 5, "overlap": 2},
        {"tile_frames": 4, "overlap_frames": 0},
        {"tile_frames": 5, "overlap_frames": 4},
        {"tile_frames": 1, "overlap_frames": 0},
        {"tile_frames": 7, "overlap_frames": 6},
        {"tile_frames": 50, "overlap_frames": 2},
        {"tile": 5, "overlap": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("ahead", [0, 2])
def test_clips_of_a_video_blend_into_the_whole(run, ahead):
    sample = filmed(11)
    made = pipeline(read_ahead=ahead, **run)
    pictures = list(made.stream(sample))
    assert [at for at, _ in pictures] == list(range(11))
    assert np.allclose(np.stack([picture for _, picture in pictures]), whole(sample), atol=1e-6)
    assert np.allclose(made.outputs(sample)[Data.VIDEO], whole(sample), atol=1e-6)


@pytest.mark.parametrize(("ahead", "most"), [(0, 2), (1, 4), (5, 4)])
def test_a_long_video_is_read_as_it_is_needed(ahead, most):
    sample = filmed(46, lazy=True)
    lazy = sample.frames
    made = pipeline(read_ahead=ahead, **CLIPS)
    pictures = [picture for _, picture in made.stream(sample)]
    assert lazy.read == [(start, start + 6) for start in range(0, 41, 4)]
    assert max(lazy.alive) <= most * 6, f"{max(lazy.alive)} frames of 46 were held at once"
    assert made.model.given == [6] * 11
    assert np.allclose(np.stack(pictures), whole(filmed(46)), atol=1e-6)


def test_frames_leave_as_soon_as_no_later_clip_touches_them():
    sample = filmed(18, lazy=True)
    made = pipeline(read_ahead=0, **CLIPS)
    computed = {at: len(made.model.given) for at, _ in made.stream(sample)}
    assert computed == {at: min(at // 4, 3) + 1 for at in range(18)}
    assert sample.frames.read == [(0, 6), (4, 10), (8, 14), (12, 18)]


@pytest.mark.parametrize("tile", [0, 5])
def test_progress_counts_pieces(tile):
    sample, told = filmed(18), []
    pieces = 4 * (len(list(squares(6, 8, tile, 2))) if tile else 1)
    for _ in pipeline(tile=tile, overlap=2, **CLIPS).stream(sample, progress=lambda *one: told.append(one)):
        pass
    assert told == [(done, pieces) for done in range(1, pieces + 1)]
    told.clear()
    pipeline(tile=tile, overlap=2, **CLIPS).outputs(sample, progress=lambda *one: told.append(one))
    assert told[-1] == (pieces, pieces)


@pytest.mark.parametrize("ahead", [0, 2])
def test_progress_cancels(ahead):
    sample = filmed(46, lazy=True)
    made = pipeline(read_ahead=ahead, **CLIPS)
    seen = []
    with pytest.raises(Interrupted, match="cancelled after 3 of 11 pieces"):
        seen.extend(at for at, _ in made.stream(sample, progress=lambda done, total: done < 3))
    assert seen == list(range(8))
    assert made.model.given == [6] * 3
    assert len(sample.frames.read) <= 3 + (3 if ahead else 0)
    assert not in_flight()


@pytest.mark.parametrize("ahead", [0, 2])
def test_closing_the_stream_stops_reading(ahead):
    sample = filmed(46, lazy=True)
    made = pipeline(read_ahead=ahead, **CLIPS)
    pictures = made.stream(sample)
    next(pictures)
    pictures.close()
    read = len(sample.frames.read)
    assert read <= 1 + (3 if ahead else 0)
    assert not in_flight()
    assert made.model.given == [6]
    threading.Event().wait(0.1)
    assert len(sample.frames.read) == read


def test_a_clip_of_another_length_is_refused():
    short = SimpleNamespace(window=Window(), reconstruct=lambda batch: batch.frames[:, 1:])
    made = Pipeline(plain(short, "video", consumes=("frames",), **CLIPS))
    with pytest.raises(UsageError, match="a clip of 6 frames gave 5; this method needs --tile-frames 0"):
        list(made.stream(filmed(18)))
