"""What event files of other programs hold is read as it is meant, or refused with what to do."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from spikecore_plugin_simulate.event_camera import EventCamera
from spikecore_plugin_simulate.event_file import write_events

import spikecore as sc
from spikecore import EventStream, SpikeFormatError, UsageError

N, SIZE = 500, {"height": 48, "width": 64}
RANDOM = np.random.default_rng(1)
X, Y, P = RANDOM.integers(0, 64, N), RANDOM.integers(0, 48, N), RANDOM.integers(0, 2, N)
T = np.arange(N) * 10
STATES = (int(P.sum()), int((P == 0).sum()))


@pytest.fixture
def written(tmp_path):
    """written(t=…, beside={"t_offset": 5}): a file as another program would write it."""

    def written(name="a.events.h5", beside=None, attributes=SIZE, **changed):
        columns = {"x": X.astype("u2"), "y": Y.astype("u2"), "t": T, "p": P.astype("u1")} | changed
        with h5py.File(tmp_path / name, "w") as file:
            for column, values in columns.items():
                file[f"events/{column}"] = values
            file["events"].attrs.update(attributes)
            for other, value in (beside or {}).items():
                file[other] = value
        return tmp_path / name

    return written


def read(path, **options):
    return sc.open_source(path, **options)[0].events[0]


def states(stream):
    first, last = int(stream.t[0]), int(stream.t[len(stream) - 1])
    return tuple(int(count) for count in stream.frames([first, last + 1]).sum((0, 2, 3)))


@pytest.mark.parametrize("p", [P.astype(bool), P, (2 * P - 1).astype("i1"), (2 * P - 1).astype("i8")])
def test_polarities_of_two_states(written, p):
    stream = read(written(p=p))
    assert states(stream) == STATES
    assert np.array_equal(stream.p[:], P > 0)


@pytest.mark.parametrize("p", [P + 1, P * 255, P - (T == 50), -2 * P])
@pytest.mark.parametrize("check", [True, False])
def test_other_polarities_are_refused(written, p, check):
    with pytest.raises(SpikeFormatError, match=r"polarities .* in /events/p; expected 0 and 1, or -1 and 1"):
        states(read(written(p=p), check=check))


@pytest.mark.parametrize("offset", [np.int64(49599300523), np.array([49599300523]), np.uint64(7), np.int32(-5)])
def test_the_offset_of_the_times_is_added(written, offset):
    path = written("events.h5", {"t_offset": offset, "ms_to_idx": np.arange(5)}, {}, t=T.astype("u4"))
    with pytest.raises(SpikeFormatError, match="state the sensor"):
        read(path)
    stream = read(path, **SIZE)
    begin = int(np.asarray(offset).item())
    assert np.array_equal(np.asarray(stream.t), T + begin)
    assert (int(stream.t[3]), stream.t[3:5].tolist()) == (begin + 30, [begin + 30, begin + 40])
    assert len(stream.between(begin + 100, begin + 200)) == 10
    assert states(stream) == STATES


@pytest.mark.parametrize("offset", [0.5, np.arange(3), b"0", np.int64(2**62), np.uint64(2**64 - 1)])
def test_an_offset_that_is_no_number_of_microseconds_is_refused(written, offset):
    with pytest.raises(SpikeFormatError, match="t_offset is"):
        read(written(beside={"t_offset": offset}))


def test_a_clock_that_wrapped_round_is_not_to_be_sorted(written):
    for times in ((2**32 - 2000 + T) % 2**32, (2**24 - 2000 + T) % 2**24, (2**31 - 2000 + T).astype(np.int32)):
        with pytest.raises(SpikeFormatError, match=r"event 200 .* wrapped round; do not sort(.|\n)*np.cumsum"):
            read(written(t=times))


def test_disorder_is_told_by_the_number_of_the_event(written, monkeypatch):
    monkeypatch.setattr("spikecore.data.events.BLOCK", 64)
    for swapped in ((320, 319), (321, 320)):  # on the border of two blocks, and inside one
        times = T.copy()
        times[list(swapped)] = times[list(swapped[::-1])]
        with pytest.raises(SpikeFormatError, match=f"event {max(swapped)} is at"):
            read(written(t=times))


def test_seconds_are_refused(written):
    with pytest.raises(SpikeFormatError, match=r"float64(.|\n)*\(t \* 1e6\).round\(\)"):
        read(written(t=T * 1e-6))


def test_events_outside_the_sensor_are_told_where_they_are_read(written):
    x = X.copy()
    x[30] = 64
    stream = read(written(x=x))
    assert stream.between(0, 300).frames([0, 300]).sum() == 30
    with pytest.raises(UsageError, match="1 events outside the 48x64 sensor, first event 30 at column 64"):
        stream.frames([0, 5000])


def test_files_named_otherwise_are_known_by_what_they_hold(written):
    for name in ("a.h5", "a.hdf5"):
        assert states(read(written(name))) == STATES


def test_the_largest_sensor_is_kept(tmp_path):
    stream = EventStream([2**15 - 1], [0], [0], [1], 1, 2**15)
    assert read(write_events(stream, tmp_path / "a.events.h5")).x[0] == 2**15 - 1


@pytest.mark.parametrize("options", [{"contrast_on": 0.001}, {"shot": 1e4, "fps": 0.01}, {"leak": 1e4, "fps": 0.1}])
def test_more_events_than_any_camera_has_are_refused(build, options):
    source = build("events", height=8, width=8, length=4, **options)
    camera = EventCamera(source.config, np.zeros((256, 512), np.float32), np.random.default_rng(0))
    with pytest.raises(UsageError, match=r"events between two pictures, .*; raise contrast_on"):
        camera.watch(np.ones((256, 512), np.float32), 1e6 / (source.config.fps or 1000))


def test_pictures_that_last_longer_than_times_can_say_are_refused(build):
    camera = EventCamera(build("events").config, np.zeros((4, 4), np.float32), np.random.default_rng(0))
    with pytest.raises(UsageError, match="raise fps"):
        camera.record([np.ones((4, 4), np.float32)], 1e-13, "slow")
