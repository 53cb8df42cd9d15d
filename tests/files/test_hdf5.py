"""HDF5 files that point elsewhere, claim what they do not hold, or need what is not installed."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore import SpikeFormatError
from spikecore.files.hdf5 import holds, number, open_dataset, open_file, open_group, refuse_hollow, shown_names

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


def test_small_data_sets_may_compress_as_they_like(plain):
    with h5py.File(plain, "a") as file:
        file.create_dataset("b", (2**26,), np.uint8, chunks=(2**20,))
        refuse_hollow(plain, open_dataset(plain, file, "b", "events"))
        file.create_dataset("c", data=np.zeros(10**7, np.uint8), compression=9, chunks=(10**6,))
        refuse_hollow(plain, open_dataset(plain, file, "c", "events"))


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


@pytest.mark.parametrize("value", [None, "six", np.nan, np.inf, [1, 2], np.zeros(1), True])
def test_attributes_that_are_no_number(plain, value):
    with h5py.File(plain, "a") as file:
        if value is not None:
            file["a"].attrs["height"] = value
        with pytest.raises(SpikeFormatError, match=r"attribute height is (.|\n)*expected one finite number"):
            number(plain, file["a"], "height")


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "number.h5"
    with h5py.File(path, "w") as file:
        file.create_group("events").attrs["height"] = value
        found = number(path, file["events"], "height")
    assert found == value
    assert type(found) is type(value)


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
        assert shown_names(file) == [f"group{number:02d}" for number in range(10)]
