"""HDF5 files that point elsewhere, claim what they do not hold, or were altered."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

import spikecore as sc
from spikecore import SpikeFormatError, SpikeStream

FRAMES = np.random.default_rng(0).random((40, 6, 8)) < 0.3


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clip.h5"


@pytest.fixture
def own(path):
    return sc.save(SpikeStream.from_frames(FRAMES, gain=2.0), path)


def refused(path, message, **options):
    with pytest.raises(SpikeFormatError, match=message) as caught:
        sc.open(path, **options)
    assert str(path) in str(caught.value)


def test_external_storage_is_not_read(path, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(64))
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (1, 8, 8), np.uint8, external=[(str(secret), 0, 64)])
    refused(path, "stored in other files", key="a")


@pytest.mark.parametrize("key", ["a", "group/a"])
def test_links_are_not_followed(path, tmp_path, key):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["a"] = FRAMES.view(np.uint8)
    with h5py.File(path, "w") as file:
        file["group/b"] = FRAMES.view(np.uint8)
        file["a"] = h5py.ExternalLink("other.h5", "a")
        file["group/a"] = h5py.SoftLink("/group/b")
    refused(path, "link to another place", key=key)
    assert np.array_equal(sc.open(path, key="group/b").unpack(), FRAMES)


def test_link_loop(path):
    with h5py.File(path, "w") as file:
        file["a"] = h5py.SoftLink("/b")
        file["b"] = h5py.SoftLink("/a")
    refused(path, "link to another place", key="a")
    refused(path, "link to another place", key="a/c")


def test_virtual_data_set(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["a"] = FRAMES.view(np.uint8)
    layout = h5py.VirtualLayout(FRAMES.shape, np.uint8)
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "a", FRAMES.shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("a", layout)
    refused(path, "stored in other files", key="a")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda file: file.create_group("a"), "is a group"),
        (lambda file: file.create_dataset("b", (1, 1, 1), "u1"), "no data set 'a'(.|\n)*among: b"),
        (lambda file: file.create_dataset("a", data="text"), "shape"),
        (lambda file: file.create_dataset("a", (2, 2, 2), h5py.string_dtype()), "holds object"),
        (lambda file: file.create_dataset("a", data=h5py.Empty("u1")), "empty"),
        (lambda file: file.create_dataset("a", (10**5, 10**4, 10**4), "u1"), "needs 1250000000000 bytes"),
        (lambda file: file.create_dataset("a", (10**3, 10**3, 10**3), "u1", chunks=(1, 10, 10)), "claims"),
        (lambda file: file.create_dataset("a", (1000, 1000, 1000), "u1", chunks=(1000, 1000, 1000)), "chunks of"),
    ],
)
def test_data_sets_that_are_no_spikes(path, make, message):
    with h5py.File(path, "w") as file:
        make(file)
    refused(path, message, key="a")


def test_path_through_a_data_set(path):
    with h5py.File(path, "w") as file:
        file["a"] = FRAMES
    refused(path, "no data set 'a/b'", key="a/b")
    refused(path, "no data set 'spikes'(.|\n)*among: a")


def test_data_set_in_another_format(path):
    with h5py.File(path, "w") as file:
        file["spikes"] = FRAMES.view(np.uint8)
    refused(path, "not in our format(.|\n)*--in key=spikes")
    assert np.array_equal(sc.open(path, key="spikes").unpack(), FRAMES)


def test_missing_decoder_is_named(path):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((1, 8, 8))
    properties.set_filter(32_026, h5py.h5z.FLAG_OPTIONAL)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple((4, 8, 8))
        h5py.h5d.create(file.id, b"a", h5py.h5t.NATIVE_UINT8, space, properties)
    if h5py.h5z.filter_avail(32_026):
        pytest.skip("the decoder is installed")
    refused(path, r"filter 32026 \(Blosc2\)(.|\n)*pip install hdf5plugin", key="a")


@pytest.mark.parametrize(
    "change",
    [
        {"length": 41},
        {"length": 0},
        {"length": 2**62},
        {"height": 8, "width": 6},
        {"height": "six"},
        {"version": 1},
        {"version": 3},
        {"version": 0.5},
        {"rate": float("nan")},
        {"rate": -1.0},
        {"gain": 0.0},
        {"sha256": "0" * 64},
        {"width": None},
        {"sha256": None},
        {"rate": np.zeros(2)},
        {"rate": 10_000.0},
        {"gain": None},
        {"gain": 2.5},
        {"digest": None},
        {"format": "other spikes"},
    ],
)
def test_own_format_that_contradicts_itself(own, change):
    with h5py.File(own, "r+") as file:
        for name, value in change.items():
            del file["spikes"].attrs[name]
            if value is not None:
                file["spikes"].attrs[name] = value
    refused(own, "expected")


def test_altered_spikes_are_noticed(own):
    with h5py.File(own, "r+") as file:
        file["spikes"][0, 0, 0] ^= 1
    refused(own, "sha256")


def rewritten_as_version_1(own):
    with h5py.File(own, "r+") as file:
        attributes = file["spikes"].attrs
        facts = {name: value.decode() if isinstance(value, bytes) else value for name, value in attributes.items()}
        for name in facts:
            del attributes[name]
        del facts["digest"]
        attributes.update({**facts, "version": 1})


def test_files_of_version_1_are_read(own):
    rewritten_as_version_1(own)
    read = sc.open(own)
    assert np.array_equal(read.unpack(), FRAMES)
    assert (read.rate, read.gain) == (20_000.0, 2.0)
    with h5py.File(own, "r+") as file:
        file["spikes"].attrs.modify("sha256", "0" * 64)
    refused(own, "sha256")


def test_attributes_that_version_1_has_not_are_damage(own):
    rewritten_as_version_1(own)
    with h5py.File(own, "r+") as file:
        file["spikes"].attrs["gein"] = 2.0
        del file["spikes"].attrs["gain"]
    refused(own, "gein")


def test_what_was_never_written_is_silence_only_where_it_is_said(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", FRAMES.shape, "u1", chunks=(8, 6, 8))[:30] = FRAMES[:30]
    refused(path, "1 chunks of /a was never written(.|\n)*allow_missing=true", key="a")
    read = sc.open(path, key="a", allow_missing=True)
    assert np.array_equal(read.unpack()[:30], FRAMES[:30])
    assert not read.unpack()[32:].any()


def test_damage_is_noticed_wherever_it_is(own):
    """One bit of a byte flipped, anywhere: the same recording, or a refusal."""
    data, random, same = own.read_bytes(), np.random.default_rng(0), 0
    places = random.permutation(np.flatnonzero(np.frombuffer(data, np.uint8)))[:150]
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(random.integers(8))
        own.write_bytes(damaged)
        try:
            read = sc.open(own)
        except SpikeFormatError:
            continue
        assert np.array_equal(read.unpack(), FRAMES), place
        assert (read.rate, read.gain) == (20_000.0, 2.0), place
        same += 1
    assert same < 0.5 * len(places)


def test_flipped_bit_is_noticed(own):
    with h5py.File(own) as file:
        offset = file["spikes"].id.get_chunk_info(0).byte_offset
    data = bytearray(own.read_bytes())
    data[offset + 5] ^= 4
    own.write_bytes(data)
    refused(own, "cannot be read")
