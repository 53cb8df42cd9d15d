"""Which instants of a recording are reconstructed, and what the method is given of each."""

from __future__ import annotations

from types import SimpleNamespace

import attrs
import numpy as np
import pytest
import torch

from spikecore.data.events import EventStream
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample, Window
from spikecore.data.spikes import SpikeStream
from spikecore.errors import UsageError
from spikecore.runner.prepare import Pipeline

from .models import filmed, plain


def pipeline(window, *produces, **run):
    """Of a method that computes nothing."""
    takes = {"video": ("frames",), "depth": ("events",)}.get("".join(produces), ("spikes",))
    return Pipeline(plain(SimpleNamespace(window=window), *produces or ("image",), consumes=takes, **run))


def night(**fields):
    """Events of one camera, one a microsecond from 1000 to 6999."""
    t = np.arange(1000, 7000)
    return Sample(key="night", events=(EventStream(t % 5, t % 3, t, t % 2 == 0, 3, 5, name="night"),), **fields)


def clip(length=60, **fields):
    frames = np.random.default_rng(0).random((length, 3, 8)) < 0.4
    return Sample(key="clip", spikes=SpikeStream.from_frames(frames, name="clip"), **fields)


ASKED = [{"at": 0}, {"at": 7}, {"start": 0}, {"start": 2}, {"stop": 9}, {"stride": 1}, {"stride": 4}]


@pytest.mark.parametrize("run", ASKED, ids=str)
def test_camera_frames_are_one_result(run):
    (name, value), *_ = run.items()
    with pytest.raises(UsageError, match=rf"film: camera frames give one result; leave out {name}={value}"):
        pipeline(Window(), "video", **run).instants(filmed(7))


@pytest.mark.parametrize("run", ASKED, ids=str)
def test_events_that_are_taken_whole_are_one_result(run):
    (name, value), *_ = run.items()
    for window in (Window(), Window(unit="us")):
        with pytest.raises(UsageError, match=rf"night: events without .* give one result; leave out {name}={value}"):
            pipeline(window, "depth", **run).instants(night())


def test_everything_that_was_asked_is_named():
    with pytest.raises(UsageError, match="leave out start=0, stop=9, stride=2"):
        pipeline(Window(), "video", start=0, stop=9, stride=2).instants(filmed(7))


def test_one_result_is_that_of_the_sample():
    assert list(pipeline(Window(), "depth").instants(night(at=1234))) == [1234]
    assert list(pipeline(Window(), "depth").instants(night())) == [4000]


@pytest.mark.parametrize(
    ("window", "run", "expected"),
    [
        (Window(1000, 500, unit="us"), {}, [1500, 2500, 3500, 4500, 5500, 6500]),
        (Window(1000, 500, unit="us"), {"stride": 2000}, [1500, 3500, 5500]),
        (Window(1000, 500, unit="us"), {"start": 2000, "stop": 4000, "stride": 1000}, [2000, 3000]),
        (Window(1000, 999, unit="us"), {"stop": 9999, "stride": 3000}, [1999, 4999]),
        (Window(4000, 0, unit="us", clip=True), {}, [1000, 5000]),
        (Window(1000, 500, unit="us"), {"at": 1777}, [1777]),
    ],
    ids=str,
)
def test_events_are_cut_by_microseconds(window, run, expected):
    assert list(pipeline(window, "depth", **run).instants(night())) == expected


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"at": 1499}, r"night: the window of 1000 microseconds .* instants 1500\.\.6500 have one"),
        ({"at": 6501}, r"instants 1500\.\.6500 have one"),
        ({"at": 7000}, r"microseconds are 1000\.\.6999"),
        ({"start": 1000}, r"instants 1500\.\.6500 have one"),
        ({"start": 1500, "stop": 7000, "stride": 5001}, r"instants 1500\.\.6500 have one"),
        ({"start": 7000}, "no instants from 7000 to 6501; the recording has 6000 microseconds"),
    ],
    ids=str,
)
def test_instants_without_events_enough_are_refused(run, message):
    with pytest.raises(UsageError, match=message):
        pipeline(Window(1000, 500, unit="us"), "depth", **run).instants(night())


def test_a_window_longer_than_the_events_is_refused():
    with pytest.raises(UsageError, match="a window of 9000 microseconds is longer than the recording of 6000"):
        pipeline(Window(9000, 500, unit="us"), "depth").instants(night())


class Count:
    """Depth is the number of events that it was given; notes the instants."""

    window = Window(1000, 500, unit="us")

    def __init__(self):
        self.seen = []

    def reconstruct(self, batch):
        self.seen += batch.at
        counts = [len(stream) for stream in batch.events[0].streams]
        return torch.tensor(counts).float()[:, None, None, None].expand(-1, 1, 3, 5)


@pytest.mark.parametrize("batch", [1, 4])
def test_each_instant_gets_the_events_of_its_window(batch):
    method = Count()
    found = dict(Pipeline(plain(method, "depth", consumes=("events",), batch=batch)).stream(night()))
    assert method.seen == list(found) == [1500, 2500, 3500, 4500, 5500, 6500]
    assert {float(value.max()) for value in found.values()} == {1000.0}


# Instants between two frames.


class Between:
    """Notes where in its window the instants lie."""

    def __init__(self, **window):
        self.window = Window(5, 2, **window)
        self.seen = []

    def reconstruct(self, batch):
        assert batch.at == batch.spikes.at
        self.seen += batch.at
        return batch.spikes.tensor().mean(1, keepdim=True)


def test_ordinary_windows_refuse_instants_between_frames():
    made = Pipeline(plain(Between(), "image"))
    for ask in (
        lambda: made.image(clip().spikes, 20.85),
        lambda: made.outputs(clip(), 20.85),
        lambda: list(made.stream(clip(), [20, 20.85])),
        lambda: list(Pipeline(plain(Between(), "image", at=20.85)).instants(clip())),
    ):
        with pytest.raises(UsageError, match=r"clip: instant 20\.85 lies between two frames.*\n  try: 21"):
            ask()


def test_methods_that_can_are_given_them():
    method = Between(fractional=True)
    made = Pipeline(plain(method, "image"))
    made.image(clip().spikes, 20.85)
    made.outputs(clip(), 21.25)
    list(made.stream(clip(), [30, 30.5, 31.75]))
    assert method.seen == pytest.approx([2.85, 2.25, 2, 2.5, 2.75])
    configured = Pipeline(plain(method, "image", at=20.85))
    assert list(configured.instants(clip())) == [20.85]
    configured.outputs(clip())
    assert method.seen[-1] == pytest.approx(2.85)


def test_the_delay_of_the_ground_truth_counts_where_it_can():
    sample = clip(at=20, delay=0.85)
    exact, whole = Between(fractional=True), Between()
    Pipeline(plain(exact, "image")).outputs(sample)
    Pipeline(plain(whole, "image")).outputs(sample)
    assert exact.seen == pytest.approx([2.85])
    assert whole.seen == [2]
    assert Pipeline(plain(exact, "image")).cut(sample).at == pytest.approx(2.85)
    assert Pipeline(plain(exact, "image")).cut(sample, 20).at == 2
    early = attrs.evolve(sample, delay=-1.5)
    cut = Pipeline(plain(exact, "image")).cut(early)
    assert (cut.at, len(cut.spikes)) == (pytest.approx(2.5), 5)
    assert np.array_equal(cut.spikes.packed, sample.spikes[16:21].packed)


def test_pictures_between_frames_are_those_of_the_frame_they_lie_in():
    made = Pipeline(plain(Between(fractional=True), "image"))
    whole = made.outputs(clip(), 20)[Data.IMAGE]
    assert np.array_equal(made.outputs(clip(), 20.85)[Data.IMAGE], whole)
