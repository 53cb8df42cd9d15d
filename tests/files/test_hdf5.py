"""HDF5 files that point elsewhere, claim what they do not hold, or need what is not installed."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore import SpikeFormatError
from spikecore.files.hdf5 import holds, number, open_dataset, open_file, open_group, refuse_hollow, shown_names, text

VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.h5"


@pytest.fixture
def plain(path):
    """A file with the data sets `a` and `group/b`, and the group `group/empty`."""
    with h5py.File(path, "w") as file:
        file["a"] = VALUES
        file["group/b"] = VALUES[0]
        file.create_group("group/empty")
    return path


def refused(path, message, name="a", change=None, absent=""):
    """Opening `name` is refused, after `change` was made to the file."""
    if change is not None:
        with h5py.File(path, "a") as file:
            change(file)
    with open_file(path) as file, pytest.raises(SpikeFormatError, match=message) as caught:
        refuse_hollow(path, open_dataset(path, file, name, "events", absent))
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


def test_what_lies_in_the_file_is_read(plain):
    with open_file(plain) as file:
        for name, values in (("a", VALUES), ("/a", VALUES), ("group/b", VALUES[0]), ("/group//b", VALUES[0])):
            dataset = open_dataset(plain, file, name, "events")
            refuse_hollow(plain, dataset)
            assert np.array_equal(dataset, values)
        assert np.array_equal(open_dataset(plain, open_group(plain, file, "group", "events"), "b", "events"), VALUES[0])


def test_a_file_that_another_program_has_open_is_read(plain):
    with h5py.File(plain, "r"), open_file(plain) as file:
        assert shown_names(file) == ["a", "group"]


@pytest.mark.parametrize("name", ["b", "group/c", "a/b", "group/b/c", "none/b"])
def test_missing(plain, name):
    said = refused(plain, f"no data set '{name}'; expected events", name, absent="choose with key=NAME")
    assert said.endswith("\n  choose with key=NAME")


def test_groups_and_data_sets_are_told_apart(plain):
    refused(plain, "'group' is a group; expected a data set", "group")
    with open_file(plain) as file:
        with pytest.raises(SpikeFormatError, match="'a' is a data set; expected a group"):
            open_group(plain, file, "a", "events")
        with pytest.raises(SpikeFormatError, match="no group 'events'; expected events"):
            open_group(plain, file, "events", "events")


@pytest.mark.parametrize("link", [h5py.SoftLink("/group/b"), h5py.ExternalLink("other.h5", "a"), h5py.SoftLink("/l")])
def test_links_are_not_followed(plain, tmp_path, link):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["a"] = VALUES
    refused(plain, "'l' is a link to another place; expected data in the file itself", "l", lambda f: f.update(l=link))
    refused(plain, "'l' is a link", "l/deeper")
    with open_file(plain) as file:
        with pytest.raises(SpikeFormatError, match="'l' is a link"):
            open_group(plain, file, "l", "events")
        assert shown_names(file) == ["a", "group"]
        assert not holds(file, "l")


def external(file):
    file.create_dataset("b", (8,), np.int16, external=[("secret", 0, 16)])


def virtual(file):
    layout = h5py.VirtualLayout(VALUES.shape, np.int16)
    layout[:] = h5py.VirtualSource("other.h5", "a", VALUES.shape)
    file.create_virtual_dataset("b", layout)


@pytest.mark.parametrize("make", [external, virtual])
def test_other_files_are_not_read(plain, make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(plain, "'b' is stored in other files; expected data in the file itself", "b", make)


def hollow(file):
    file.create_dataset("b", (10**12,), np.int16, chunks=(1000,))


def filled(file):
    file.create_dataset("b", (10**12,), np.int16, chunks=(1000,), fillvalue=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (hollow, "/b claims 2000000000000 bytes and stores 0; expected at most 1100 times"),
        (filled, "claims"),
        (
            lambda f: f.create_dataset("b", (10**9,), np.int16, chunks=(10**9,)),
            "chunks of 2000000000 bytes(.|\n)*again",
        ),
        (lambda f: f.create_dataset("b", data=h5py.Empty("u1")), "'b' is empty"),
    ],
)
def test_claims(plain, make, message):
    refused(plain, message, "b", make)


def test_zeros_that_were_written_may_compress_as_they_like(plain):
    with h5py.File(plain, "a") as file:
        file.create_dataset("b", data=np.zeros(10**7, np.uint8), compression=9, chunks=(10**6,))
        file.create_dataset("none", (0, 3), "u1", maxshape=(None, 3))
    with open_file(plain) as file:
        refuse_hollow(plain, open_dataset(plain, file, "b", "events"))
        refuse_hollow(plain, open_dataset(plain, file, "none", "events"))


@pytest.mark.parametrize("options", [{}, {"chunks": (2, 4)}, {"chunks": (2, 4), "compression": 1}])
def test_what_was_never_written_is_missing(plain, options):
    with h5py.File(plain, "a") as file:
        hole = file.create_dataset("b", (9, 4), np.int16, fillvalue=7, **options)
        if options:
            hole[:2], hole[4:] = 1, 1
    said = refused(plain, "was never written, or is lost", "b")
    assert ("1 chunks" if options else "all of /b") in said
    with open_file(plain) as file:
        dataset = open_dataset(plain, file, "b", "events")
        if options:
            with pytest.raises(SpikeFormatError, match=r"the chunk of /b at \(2, 0\) was never written"):
                dataset[:4]
            assert (dataset[4:] == 1).all()
        dataset.holes = True
        refuse_hollow(plain, dataset)
        assert (dataset[2:4] == 7).all()


@pytest.mark.parametrize(("code", "name"), [(32_026, "Blosc2"), (32_099, "unknown")])
def test_missing_decoder_is_named(path, code, name):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((1, 8, 8))
    properties.set_filter(code, h5py.h5z.FLAG_OPTIONAL)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple((4, 8, 8))
        h5py.h5d.create(file.id, b"a", h5py.h5t.NATIVE_UINT8, space, properties)
    if h5py.h5z.filter_avail(code):
        pytest.skip("the decoder is installed")
    refused(path, rf"filter {code} \({name}\)(.|\n)*pip install hdf5plugin")


@pytest.mark.parametrize("options", [{"compression": "gzip"}, {"compression": "lzf"}, {"fletcher32": True}])
def test_decoders_that_are_always_there(path, options):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=VALUES, **options)
    with open_file(path) as file:
        assert np.array_equal(open_dataset(path, file, "a", "events"), VALUES)


@pytest.mark.parametrize(
    "value",
    [None, "six", np.bytes_("six"), np.nan, np.inf, [1, 2], np.zeros(1), True, 1j, h5py.Empty("i4"), ["a", "b"]],
)
def test_attributes_that_are_no_number(plain, value):
    with h5py.File(plain, "a") as file:
        if value is not None:
            file["a"].attrs["height"] = value
    message = r"attribute height is (.|\n)*expected one finite number"
    with open_file(plain) as file, pytest.raises(SpikeFormatError, match=message):
        number(plain, file["a"], "height")


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "number.h5"
    with h5py.File(path, "w") as file:
        file.create_group("events").attrs["height"] = value
    with open_file(path) as file:
        found = number(path, file["events"], "height")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("value", ["grün", np.bytes_("grün".encode())])
def test_texts_of_both_kinds(plain, value):
    with h5py.File(plain, "a") as file:
        file["a"].attrs.update(colour=value, number=1)
    with open_file(plain) as file:
        assert text(file["a"], "colour") == "grün"
        assert text(file["a"], "number") is None
        assert text(file, "none") is None
        assert sorted(file["a"].attrs) == ["colour", "number"]


@pytest.mark.parametrize("options", [{}, {"chunks": (2, 3, 1)}, {"chunks": (3, 5, 7), "compression": 1}])
@pytest.mark.parametrize("dtype", ["<i2", ">f4", "?", [("x", "<i2"), ("t", "<i8")]])
def test_parts_are_those_of_the_array(path, options, dtype):
    values = np.zeros((8, 5, 7), dtype)
    values.view(np.uint8)[:] = np.arange(values.nbytes).reshape(values.view(np.uint8).shape) % 2
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("a", data=values, **options)
        file["one"] = values[0, 0, 0]
    with open_file(path) as file:
        dataset = file["a"]
        assert (dataset.shape, dataset.dtype, dataset.ndim, dataset.size, len(dataset)) == ((8, 5, 7), dtype, 3, 280, 8)
        for key in (..., (), 3, -1, slice(2, 7), slice(5, 2), slice(None, None, 3), np.s_[1:3, 2], (4, slice(1, 3))):
            assert dataset[key].tobytes() == values[key].tobytes()
        assert np.asarray(dataset).dtype == dtype
        assert file["one"][()].tobytes() == values[0, 0, 0].tobytes()
        with pytest.raises(IndexError):
            dataset[8]


@pytest.mark.parametrize("values", ["text", np.array([b"a", b"bc"]), h5py.Empty("f4"), np.void(b"opaque"), ["a", "b"]])
def test_what_is_no_number_is_told_by_its_type(path, values):
    with h5py.File(path, "w") as file:
        file["a"] = values
    with open_file(path) as file:
        assert file["a"].dtype.kind not in "biuf" or file["a"].shape is None
        if file["a"].dtype.hasobject:
            with pytest.raises(SpikeFormatError, match="holds object"):
                file["a"][...]


def test_huge_and_deep_files_are_looked_at_quickly(path):
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(20_000):
            file[f"link{number}"] = h5py.SoftLink("/nowhere")
        file["again"] = file["/"]
        node = file
        for _ in range(300):
            node = node.create_group("g")
        node["a"] = VALUES
    deep = "g/" * 300 + "a"
    with open_file(path) as file:
        assert shown_names(file) == ["again", "g"]
        assert np.array_equal(open_dataset(path, file, deep, "events"), VALUES)
        assert holds(file, "again/again/again/g")
        assert not holds(file, "link7")


def test_holds(plain):
    with open_file(plain) as file:
        assert holds(file, "a", "group", "group/b", "group/empty")
        assert holds(file)
        assert not holds(file, "a", "group/c")
        assert not holds(file, "a/b")


def test_names_for_messages_are_few(path):
    with h5py.File(path, "w") as file:
        for number in range(30):
            file.create_group(f"group{number:02d}")
    with open_file(path) as file:
        assert shown_names(file) == [f"group{number:02d}" for number in range(10)]
