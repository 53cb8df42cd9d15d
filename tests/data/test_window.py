from __future__ import annotations

import numpy as np
import pytest

from spikecore.data.events import EventStream
from spikecore.data.sample import Sample, Window
from spikecore.data.spikes import SpikeStream
from spikecore.errors import UsageError


def test_windows_are_cut_around_their_instant():
    video = np.arange(10)[:, None, None] % 2 * np.ones((10, 1, 8), int)
    stream = SpikeStream.from_frames(video, name="clip")
    part, position = Window(5, 2).cut(stream, 4)
    assert (len(part), position) == (5, 2)
    assert np.array_equal(part.unpack(), video[2:7])
    assert Window(5, 2).valid(10) == range(2, 8)
    assert Window.centred(4) == Window(4, 2)
    part, position = Window(5, 2, clip=True).cut(stream, 9)
    assert (len(part), position) == (3, 2)
    part, position = Window(5, 2, clip=True).cut(stream, 1)
    assert (len(part), position) == (4, 1)
    longer = Window(7, 3, needs=Window(3, 1))
    assert longer.valid(10) == range(1, 9)
    part, position = longer.cut(stream, 8)
    assert (len(part), position) == (5, 3)
    with pytest.raises(UsageError, match=r"the window of 3 frames around instant 9.*instants 1\.\.8 have one"):
        longer.cut(stream, 9)
    whole, position = Window().cut(stream, 7)
    assert (len(whole), position) == (10, 7)
    with pytest.raises(UsageError, match=r"instants 2..7 have one"):
        Window(5, 2).cut(stream, 8)
    with pytest.raises(UsageError, match=r"outside the recording; frames are 0\.\.9"):
        Window(5, 2, clip=True).cut(stream, 10)
    with pytest.raises(UsageError, match="a window of 11 frames is longer than the recording of 10"):
        Window(11, 5).cut(stream, 5)
    with pytest.raises(UsageError, match="no frame 3"):
        Window(3, 3)


def two_cameras():
    """Events at 100..199 and 130..249 microseconds, one a microsecond."""
    left, right = np.arange(100, 200), np.arange(130, 250)
    return tuple(EventStream(t % 5, t % 3, t, t % 2 == 0, 3, 5, name="night") for t in (left, right))


def test_windows_in_microseconds_cut_events():
    cameras = two_cameras()
    left, right = Window(50, 20, unit="us").cut_events(cameras, 170)
    assert (left.t[0], left.t[-1]) == (right.t[0], right.t[-1]) == (150, 199)
    left, right = Window(50, 20, unit="us").cut_events(cameras, 125)
    assert (left.t[0], left.t[-1], right.t[0], right.t[-1]) == (105, 154, 130, 154)
    assert Window(unit="us").cut_events(cameras, 170) == cameras
    assert Window(50, 20, unit="us").valid(150, 100) == range(120, 221)


@pytest.mark.parametrize(
    ("window", "at", "message"),
    [
        (Window(50, 20, unit="us"), 119, r"night: the window of 50 microseconds .* instants 120\.\.220 have one"),
        (Window(50, 20, unit="us"), 221, r"instants 120\.\.220 have one"),
        (Window(50, 20, unit="us"), 99, r"instant 99 is outside the recording; microseconds are 100\.\.249"),
        (Window(50, 20, unit="us", clip=True), 250, r"microseconds are 100\.\.249"),
        (Window(151, 20, unit="us"), 170, "a window of 151 microseconds is longer than the recording of 150"),
        (Window(50, 20, unit="us"), 150.5, r"instant 150.5 lies between two microseconds.*\n  try: 150"),
    ],
)
def test_instants_without_a_window_of_events_are_refused(window, at, message):
    with pytest.raises(UsageError, match=message):
        window.cut_events(two_cameras(), at)


def test_instants_between_frames_need_a_window_that_takes_them():
    stream = SpikeStream.from_frames(np.zeros((200, 1, 8), bool), name="clip")
    with pytest.raises(UsageError, match=r"clip: instant 150\.85 lies between two frames, .* whole ones\n  try: 151"):
        Window.centred(5).cut(stream, 150.85)
    window = Window(5, 2, fractional=True)
    part, position = window.cut(stream, 150.85)
    assert (len(part), position) == (5, pytest.approx(2.85))
    assert window.cut(stream, 150)[1] == 2
    assert type(window.cut(stream, 150.0)[1]) is int
    assert window.cut(stream, 197.99)[1] == pytest.approx(2.99)
    with pytest.raises(UsageError, match=r"instants 2\.\.197 have one"):
        window.cut(stream, 198.01)
    with pytest.raises(UsageError, match=r"instants 2\.\.197 have one"):
        window.cut(stream, 1.99)


def test_a_sample_is_cut_as_its_window_says():
    stream = SpikeStream.from_frames(np.zeros((200, 1, 8), bool))
    sample = Sample(key="both", spikes=stream, events=two_cameras(), at=150)
    frames = sample.around(Window(5, 2))
    assert (len(frames.spikes), frames.at, frames.events) == (5, 2, sample.events)
    moments = sample.around(Window(40, 10, unit="us"))
    assert (moments.at, moments.spikes is stream) == (150, True)
    assert (moments.events[0].t[0], moments.events[0].t[-1]) == (140, 179)
    assert sample.around(Window(5, 2, fractional=True), 20.5).at == 2.5


def test_windows_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match="a window of 10 microseconds has no microsecond 10 to be its anchor"):
        Window(10, 10, unit="us")
    with pytest.raises(ValueError, match="unit"):
        Window(10, 2, unit="ms")
