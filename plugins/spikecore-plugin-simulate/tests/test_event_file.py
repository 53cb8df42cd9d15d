"""Events in plain HDF5: written, read where they are looked at, and refused where they are not what they seem."""

from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikecore_plugin_simulate.event_file import Column, write_events

import spikecore as sc
from spikecore import EventStream, OutputError, SpikeFormatError
from spikecore.testing.data import event_stream

NAMES = ("x", "y", "t", "p")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.events.h5"


def plain(path, count=40, height=5, width=7, **changed):
    """A file as another program would write it; `changed` replaces columns."""
    random = np.random.default_rng(0)
    columns = {
        "x": random.integers(0, width, count).astype(np.uint16),
        "y": random.integers(0, height, count).astype(np.uint16),
        "t": np.sort(random.integers(0, 1000, count)),
        "p": random.integers(0, 2, count).astype(np.int8) * 2 - 1,
    } | changed
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file[f"events/{name}"] = values
        file["events"].attrs.update(height=height, width=width)
    return columns


@settings(max_examples=20)
@given(count=st.integers(0, 300), seed=st.integers(0, 9))
def test_round_trip(tmp_path_factory, build, count, seed):
    random = np.random.default_rng(seed)
    stream = EventStream(
        random.integers(0, 33, count).astype(np.int16),
        random.integers(0, 21, count).astype(np.int16),
        np.sort(random.integers(0, 10**12, count)),
        random.random(count) < 0.5,
        21,
        33,
    )
    path = write_events(stream, tmp_path_factory.mktemp("events") / "a.events.h5")
    read = build("event-file", path=str(path))[0].events[0]
    assert (read.height, read.width, len(read)) == (21, 33, count)
    for name in NAMES:
        values = np.asarray(getattr(read, name))
        assert values.dtype == getattr(stream, name).dtype
        assert np.array_equal(values, getattr(stream, name))


def test_parts_are_read_where_they_are_looked_at(path, build, monkeypatch):
    stream = event_stream(50.0, (20, 30))
    source = build("event-file", path=str(write_events(stream, path)), check=False)
    asked = []
    whole = Column.__getitem__
    monkeypatch.setattr(Column, "__getitem__", lambda self, key: asked.append(key) or whole(self, key))
    part = source[0].events[0].between(2000, 3000)
    assert asked
    assert sum(len(range(*key.indices(len(stream)))) if isinstance(key, slice) else 1 for key in asked) < len(stream)
    monkeypatch.undo()
    assert np.array_equal(part.frames([2000, 2500, 3000]), stream.frames([2000, 2500, 3000]))


def test_samples_can_be_sent_to_other_processes(path, build):
    stream = event_stream(2.0, (20, 30))
    sample = build("event-file", path=str(write_events(stream, path)))[0]
    copy = pickle.loads(pickle.dumps(sample)).events[0]  # noqa: S301  # our own
    assert np.array_equal(copy.t, stream.t)
    assert np.array_equal(copy.voxels(5), stream.voxels(5))


def test_files_of_other_programs(path, build):
    columns = plain(path)
    read = build("event-file", path=str(path))[0].events[0]
    assert np.array_equal(read.p, columns["p"] > 0)
    assert np.array_equal(read.x, columns["x"])
    assert read.frames([0, 1000]).sum() == 40


def test_opened_by_file_name(path):
    write_events(event_stream(2.0, (20, 30)), path)
    assert len(sc.open_source(path)[0].events[0]) == len(event_stream(2.0, (20, 30)))


def test_size_where_the_file_does_not_say(path, build):
    plain(path)
    with h5py.File(path, "a") as file:
        del file["events"].attrs["height"]
    with pytest.raises(SpikeFormatError, match=r"attribute height is None(.|\n)*height=180"):
        build("event-file", path=str(path))
    assert build("event-file", path=str(path), height=5)[0].events[0].height == 5


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"t": np.arange(40)[::-1]}, "not sorted"),
        ({"t": np.arange(39)}, "as many of each"),
        ({"x": np.zeros(40)}, "float64"),
        ({"x": np.zeros((40, 1), np.int16)}, "of shape"),
        ({"p": np.array([b"up"] * 40)}, "whole numbers"),
        ({"x": np.full(40, 40_000)}, "40000"),
        ({"t": np.zeros(40, np.uint64)}, "uint64"),
    ],
)
def test_columns_that_are_no_events(path, build, changed, message):
    plain(path, **changed)
    with pytest.raises(SpikeFormatError, match=message) as caught:
        np.asarray(build("event-file", path=str(path))[0].events[0].x)
    assert str(path) in str(caught.value)


def external(file, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(800))
    file["events"].create_dataset("x", (40,), np.int16, external=[(str(tmp_path / "secret"), 0, 80)])


def external_link(file, tmp_path):
    plain(tmp_path / "other.h5")
    file["events/x"] = h5py.ExternalLink("other.h5", "events/x")


def group_link(file, tmp_path):
    plain(tmp_path / "other.h5")
    del file["events"]
    file["events"] = h5py.ExternalLink("other.h5", "events")


def soft_link(file, tmp_path):
    file["events/x"] = h5py.SoftLink("/events/y")


def virtual(file, tmp_path):
    plain(tmp_path / "other.h5")
    layout = h5py.VirtualLayout((40,), np.int16)
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "events/x", (40,))
    file["events"].create_virtual_dataset("x", layout)


def group(file, tmp_path):
    file["events"].create_group("x")


def hollow(file, tmp_path):
    file["events"].create_dataset("x", (10**12,), np.int16, chunks=(1000,))


def huge_chunk(file, tmp_path):
    file["events"].create_dataset("x", (10**9,), np.int16, chunks=(10**9,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (external, "stored in other files"),
        (external_link, "link to another place"),
        (group_link, "link to another place"),
        (soft_link, "link to another place"),
        (virtual, "stored in other files"),
        (group, "is a group"),
        (hollow, "claims"),
        (huge_chunk, "chunks of"),
    ],
)
def test_files_that_reach_elsewhere_or_claim_too_much(path, tmp_path, build, make, message):
    plain(path)
    with h5py.File(path, "a") as file:
        del file["events/x"]
        make(file, tmp_path)
    with pytest.raises(SpikeFormatError, match=message):
        build("event-file", path=str(path))


@pytest.mark.parametrize("name", ["events", *(f"events/{name}" for name in NAMES)])
def test_what_is_missing_is_named(path, build, name):
    plain(path)
    with h5py.File(path, "a") as file:
        del file[name]
    with pytest.raises(SpikeFormatError, match=f"no (group|data set) '{name}'"):
        build("event-file", path=str(path))


def test_no_hdf5_at_all(path, build):
    for data, message in ((b"", "empty file"), (b"x,y,t,p\n1,2,3,1\n", "cannot be read"), (b"<html>", "web page")):
        path.write_bytes(data)
        with pytest.raises(SpikeFormatError, match=message):
            build("event-file", path=str(path))


def test_damaged_files_are_read_or_refused(path, build):
    stream = event_stream(2.0, (6, 8))
    wanted = [np.asarray(getattr(stream, name)) for name in NAMES]
    data, random = write_events(stream, path).read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        mutant = bytearray(data)
        for _ in range(3):
            mutant[random.integers(len(mutant))] = random.integers(256)
        path.write_bytes(mutant)
        try:
            read = build("event-file", path=str(path))[0].events[0]
            found = [np.asarray(getattr(read, name)) for name in NAMES]
        except SpikeFormatError:
            refused += 1
        else:
            assert all(map(np.array_equal, found, wanted))
            assert (read.height, read.width) == (6, 8)
    assert refused > 10


def altered(path, **facts):
    with h5py.File(path, "r+") as file:
        events = file["events"]
        for name, value in facts.items():
            if name in NAMES:
                events[name][7] = value
            else:
                events.attrs.modify(name, value)


@pytest.mark.parametrize(
    "facts", [{"x": 5}, {"y": 5}, {"t": 0}, {"p": 0}, {"p": 1}, {"height": 7}, {"format": b"other"}]
)
@pytest.mark.parametrize("check", [True, False])
def test_ours_are_compared_with_their_checksums(path, build, facts, check):
    stream = event_stream(2.0, (6, 8))
    write_events(stream, path)
    before = path.read_bytes()
    altered(path, **facts)
    name = next(iter(facts))
    if name in NAMES and np.array_equal(np.asarray(stream.p if name == "p" else getattr(stream, name))[7], facts[name]):
        return
    with pytest.raises(SpikeFormatError, match="the file was altered"):
        np.asarray(
            getattr(build("event-file", path=str(path), check=check)[0].events[0], name if name in NAMES else "x")
        )
    path.write_bytes(before)
    assert np.array_equal(build("event-file", path=str(path))[0].events[0].t, stream.t)


def test_files_without_checksums_are_read(path, build):
    stream = event_stream(2.0, (6, 8))
    write_events(stream, path)
    with h5py.File(path, "r+") as file:
        for node in (file["events"], *(file["events"][name] for name in NAMES)):
            for name in set(node.attrs) - {"height", "width"}:
                del node.attrs[name]
    assert np.array_equal(build("event-file", path=str(path))[0].events[0].x, stream.x)


@pytest.mark.parametrize("name", NAMES)
def test_lost_chunks_are_no_zeros(path, build, name):
    columns = plain(path, count=40)
    with h5py.File(path, "r+") as file:
        del file[f"events/{name}"]
        column = file["events"].create_dataset(name, (40,), columns[name].dtype, chunks=(8,))
        column[:16], column[24:] = columns[name][:16], columns[name][24:]
    with pytest.raises(SpikeFormatError, match=f"1 chunks of /events/{name} was never written, or is lost"):
        build("event-file", path=str(path))


def test_failed_writing_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="no folder"):
        write_events(event_stream(1.0, (6, 8)), tmp_path / "none" / "a.h5")
    assert list(tmp_path.iterdir()) == []
