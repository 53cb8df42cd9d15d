"""Columns of events are looked at before anything is counted: the right value, or an error that names the remedy."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore.data.event_statistics import event_statistics
from spikecore.data.events import EventStream
from spikecore.errors import UsageError

H, W, N = 6, 8, 300
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.integers(0, W, N), RANDOM.integers(0, H, N)
T, P = np.arange(N) * 10, RANDOM.integers(0, 2, N)
ON = int(P.sum())


def stream(**changed):
    columns = {"x": X, "y": Y, "t": T, "p": P, "height": H, "width": W} | changed
    return EventStream(**columns)


def counted(events):
    return tuple(int(total) for total in events.frames([0, 10 * N]).sum((0, 2, 3)))


class Lazy:
    """A column read where it is sliced, like a data set of a file; `more` says more of it."""

    def __init__(self, values, **more):
        self.values, self.read = values, []
        vars(self).update(more)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, key):
        self.read.append(key)
        return self.values[key]


@pytest.mark.parametrize(
    "p",
    [P.astype(bool), P, P.astype(np.uint8), 2 * P - 1, (2 * P - 1).astype(np.int8), P.astype(float), 2.0 * P - 1],
    ids=lambda p: f"{p.dtype} {p.min()}..{p.max()}",
)
def test_polarities_of_two_states_are_counted_alike(p):
    assert counted(stream(p=p)) == (ON, N - ON)
    assert counted(stream(p=list(p))) == (ON, N - ON)
    assert counted(stream(p=Lazy(p))) == (ON, N - ON)
    assert stream(p=p).p.dtype == np.bool_
    assert stream(p=p).voxels(1).sum() == 2 * ON - N


@pytest.mark.parametrize(
    ("p", "told"),
    [
        (P + 1, r"polarity p holds 1, 2;.*\n  if 2 means that brightness rose: p = p == 2"),
        (P * 255, "p = p == 255"),
        (-2 * P, "polarity p holds -2, 0"),
        (P - (T == 0) * (1 + P), "polarity p holds -1, 0, 1"),
        (P * 0.5, "polarity p holds 0.0, 0.5"),
        (np.where(P, 1.0, np.nan), "polarity p holds 1.0, nan"),
        (np.array(["on", "off"])[P], "polarity p holds <U3"),
        (P.astype(object), "polarity p holds object"),
        (P.astype(complex), "polarity p holds complex"),
    ],
)
def test_other_polarities_are_refused(p, told):
    with pytest.raises(UsageError, match=told):
        stream(p=p)
    with pytest.raises(UsageError, match=told):
        stream(p=Lazy(p)).frames([0, 10 * N])


@pytest.mark.parametrize(
    ("t", "told"),
    [
        (
            T * 1e-6,
            r"t\[1\] is 9.99.*e-06; expected whole microseconds(.|\n)*\(t \* 1e6\).round\(\).astype\(np.int64\)",
        ),
        (T + 0.5, "whole microseconds"),
        (np.where(T == 50, np.nan, T), r"t\[5\] is nan"),
        (np.where(T == 50, np.inf, T), r"t\[5\] is inf"),
        ((T + 2.0**24).astype(np.float32), "float32 from 16777216 on(.|\n)*int64"),
        (T.astype("m8[us]"), r'astype\("m8\[us\]"\)'),
        (T.astype(np.uint64) + np.uint64(2**63), "uint64"),
        (T.astype(object), "holds object"),
        (T[:, None], r"shape \(300, 1\); expected one row"),
        (np.ma.masked_equal(T, 50), "1 values of t are masked"),
        (T[1:], "differ in length"),
        (T.astype(str), "<U"),
        (5, "t is int"),
        (None, "t is NoneType"),
        ("0123", "t is str"),
        ([[1], [2, 3]], "t is no array"),
    ],
)
def test_other_times_are_refused(t, told):
    with pytest.raises(UsageError, match=told):
        stream(t=t)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint32, np.uint64, np.float32, np.float64])
def test_whole_numbers_of_any_type_are_taken(kind):
    read = stream(x=X.astype(kind), y=Y.astype(kind), t=T.astype(max(kind, np.int16, key=lambda one: one(0).itemsize)))
    assert np.array_equal(read.frames([0, 1500, 3000]), stream().frames([0, 1500, 3000]))
    assert read.t.dtype == np.int64


@pytest.mark.parametrize("bits", [16, 23, 24, 31, 32])
@pytest.mark.parametrize("start", [0.5, 0.9])
def test_a_clock_that_wrapped_is_told_with_code_that_unwraps_it(bits, start):
    true = np.int64(start * 2**bits) + np.linspace(0, 2.2 * 2**bits, 4 * N).astype(np.int64)
    wrapped = true % 2**bits
    with pytest.raises(UsageError, match=f"clock of {bits} bits wrapped round; do not sort") as caught:
        stream(x=np.zeros(4 * N), y=np.zeros(4 * N), p=np.zeros(4 * N), t=wrapped)
    names = {"np": np, "t": wrapped.astype(np.uint32)}
    exec(str(caught.value).partition("unwrap: ")[2], names)
    assert np.array_equal(names["t"] - names["t"][0], true - true[0])


def test_a_signed_clock_that_wrapped():
    true = 2**31 - 50 + T
    with pytest.raises(UsageError, match="clock of 32 bits wrapped round"):
        stream(t=true.astype(np.int32))


def test_times_out_of_order_are_told_with_code_that_sorts_them():
    order = RANDOM.permutation(N)
    shuffled = {"x": X[order], "y": Y[order], "t": T[order], "p": P[order]}
    with pytest.raises(UsageError, match="times that are not sorted: event") as caught:
        stream(**shuffled)
    assert "wrapped" not in str(caught.value)
    names = {"np": np, **shuffled}
    exec(str(caught.value).partition("sort them: ")[2], names)
    edges = [0, 500, 3000]
    assert np.array_equal(stream(**{name: names[name] for name in "xytp"}).frames(edges), stream().frames(edges))


def test_a_second_recording_after_the_first_is_told_where_it_begins():
    with pytest.raises(UsageError, match=r"event 150 is at 0 after 1490 (.|\n)*cut it at event 150"):
        stream(t=np.tile(T[: N // 2], 2))


def test_a_wrapped_clock_and_disorder_at_once():
    times = (2**24 - 1000 + T) % 2**24
    times[[200, 201]] = times[[201, 200]]
    with pytest.raises(UsageError, match=r"wrapped round, first unwrap(.|\n)*argsort"):
        stream(t=times)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"x": np.where(T == 30, W, X)}, f"1 events outside the {H}x{W} sensor, first event 3 at column {W}, row"),
        ({"y": np.where(T >= 30, -1, Y)}, f"{N - 3} events outside .* row -1"),
        ({"x": Y, "y": X}, "x and y swapped"),
        ({"x": X + 1, "y": Y + 1}, "counted from 1"),
        ({"x": X + 0.5}, r"x\[0\] is .*whole pixels"),
        ({"x": X > 3}, "x holds bool"),
        ({"height": 0}, "height is 0"),
        ({"height": 10**9}, "height is 1000000000; expected 1..32768"),
        ({"width": -3}, "width is -3"),
        ({"height": 2.5}, "height is 2.5"),
        ({"height": None}, "height is None"),
        ({"width": "8"}, "width is '8'"),
    ],
)
def test_pixels_that_a_sensor_has_not_are_refused(changed, told):
    with pytest.raises(UsageError, match=told):
        stream(**changed)
    lazy = {name: Lazy(value) if isinstance(value, np.ndarray) else value for name, value in changed.items()}
    with pytest.raises(UsageError, match=told):
        stream(**lazy).frames([0, 10 * N])


def test_lazy_columns_are_looked_at_where_they_are_read():
    lazy = stream(x=Lazy(np.where(T == 2000, W, X)), t=Lazy(T), p=Lazy(P))
    lazy.check()
    assert lazy.between(0, 2000).frames([0, 2000]).sum() == 200
    with pytest.raises(UsageError, match="outside"):
        lazy.between(1990, 2010)
    for broken in ({"t": Lazy(T[::-1])}, {"p": Lazy(P + 1)}):
        with pytest.raises(UsageError, match=r"not sorted|polarity"):
            stream(**broken).check()
    with pytest.raises(UsageError, match="not sorted"):
        stream(t=Lazy(np.where(T == 1000, 5, T))).between(900, 1200)


@pytest.mark.parametrize(("column", "values"), [("t", T * 1e-6), ("x", X.astype(float)), ("t", T[:, None])])
def test_lazy_columns_that_are_no_row_of_whole_numbers_are_refused_at_once(tmp_path, column, values):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["values"] = values
        with pytest.raises(UsageError, match=r"whole numbers|one row"):
            stream(**{column: file["values"]})


def test_a_lazy_column_that_fails_is_named():
    class Broken(Lazy):
        def __getitem__(self, key):
            raise OSError("disk")

    with pytest.raises(UsageError, match=r"x of events(.|\n)*disk"):
        stream(x=Broken(X)).frames([0, 10])


def test_what_was_looked_at_is_not_looked_at_again(monkeypatch):
    whole = stream()
    monkeypatch.setattr("spikecore.data.events.as_column", None)
    part = whole[10:200].between(500, 1000)
    assert np.shares_memory(part.x, whole.x)
    assert len(part) == 50


@pytest.mark.parametrize("key", [slice(None, None, -1), np.arange(N)[::-1]])
def test_parts_in_another_order_are_looked_at(key):
    with pytest.raises(UsageError, match="not sorted"):
        stream()[key]
    assert len(stream()[X > 3]) == (X > 3).sum()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda s: s[3], "taken by slices"),
        (lambda s: list(s), "taken by slices"),
        (lambda s: s.frames([0, 0.0075, 0.015]), "whole microseconds"),
        (lambda s: s.frames([0, np.nan]), "nan"),
        (lambda s: s.frames(["a", "b"]), "<U1"),
        (lambda s: s.frames(5), "a list of times"),
        (lambda s: s.frames([0, 2**70]), "holds object"),
        (lambda s: s.voxels(2.5), "2.5; expected a whole number"),
        (lambda s: s.voxels(3, 500, 100), "expected an end that is not before the start"),
        (lambda s: s.voxels(3, -(2**70), 5), "fewer than 63 bits"),
        (lambda s: s.voxels(2**62), "do not fit into memory"),
        (lambda s: s.voxels(3, "a"), "start is 'a'"),
        (lambda s: s.between(0, "a"), "expected a number"),
        (lambda s: s.between(float("nan"), 9), "expected a number"),
    ],
)
def test_requests_that_make_no_sense_are_refused(call, told):
    with pytest.raises(UsageError, match=told):
        call(stream())


@given(st.floats(-10, 3100), st.floats(-10, 3100))
def test_between_takes_any_numbers(start, stop):
    events = stream().between(start, stop)
    assert len(events) == ((start <= T) & (stop > T)).sum()
    assert len(stream().between(-np.inf, np.inf)) == N
    assert len(stream().between(-(10**400), 10**400)) == N


def test_statistics_read_in_blocks(monkeypatch):
    monkeypatch.setattr("spikecore.data.event_statistics.BLOCK", 64)
    x = Lazy(np.where(T >= 2000, W, X))
    report = event_statistics(stream(x=x, y=Lazy(Y), t=Lazy(T), p=Lazy(P.astype(bool))))
    assert max(key.stop - key.start for key in x.read) == 64
    assert report == {
        "height": H, "width": W, "events": N, "first_us": 0, "last_us": 2990, "span_us": 2990,
        "event_rate_hz": N / 2990e-6, "events_on": ON, "events_off": N - ON, "events_outside": 100,
        "first_outside": f"event 200 at column {W}, row {Y[200]}",
    }  # fmt: skip
    nothing = event_statistics(stream(x=[], y=[], t=[], p=[]))
    assert (nothing["events"], nothing["span_us"], nothing["event_rate_hz"]) == (0, None, None)
