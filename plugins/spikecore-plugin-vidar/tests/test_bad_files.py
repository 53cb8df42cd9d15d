"""Files that are not what they should be: each is refused with its name, what was found and what to do."""

from __future__ import annotations

import os
import resource
import socket
import zipfile

import h5py
import numpy as np
import pytest

import spikecore as sc
from spikecore import SpikeFormatError, SpikeStream

SUFFIXES = [".dat", ".npz", ".npy", ".h5"]
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3762500\n"
FRAMES = np.random.default_rng(0).random((40, 6, 8)) < 0.3


def open_any(path, **options):
    if path.suffix == ".dat":
        options = {"height": 6, "width": 8, **options}
    return sc.open(path, **options)


def refused(path, message, **options):
    with pytest.raises(SpikeFormatError, match=message) as caught:
        open_any(path, **options)
    assert str(path) in str(caught.value)
    assert "allow_pickle" not in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (LFS, "Git LFS pointer(.|\n)*git lfs pull"),
        (b"\n<!DOCTYPE html><html>404</html>", "web page"),
        (b"\xef\xbb\xbf<html></html>", "web page"),
        (b"\x01", "shorter than one frame|cannot be read"),
        (b"cos\nsystem\n(S'true'\ntR.", "bytes more|cannot be read"),
    ],
)
def test_something_else(tmp_path, suffix, data, message):
    path = tmp_path / f"clip{suffix}"
    path.write_bytes(data)
    refused(path, message)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_not_a_file(tmp_path, suffix):
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    refused(folder, "a folder of recordings")
    pipe = tmp_path / f"pipe{suffix}"
    os.mkfifo(pipe)
    refused(pipe, "a named pipe")
    (tmp_path / f"zero{suffix}").symlink_to("/dev/zero")
    refused(tmp_path / f"zero{suffix}", "a device")
    (tmp_path / f"gone{suffix}").symlink_to(tmp_path / "nowhere")
    refused(tmp_path / f"gone{suffix}", "no such file")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_socket(tmp_path, suffix, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"s{suffix}")
        refused(tmp_path / f"s{suffix}", "a socket")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cut_short(tmp_path, suffix):
    path = sc.save(SpikeStream.from_frames(FRAMES), tmp_path / f"clip{suffix}")
    data = path.read_bytes()
    for size in (len(data) - 1, len(data) // 2, 7):
        path.write_bytes(data[:size])
        refused(path, "expected")


def test_missing_whole_frames_are_noticed(tmp_path):
    path = sc.save(SpikeStream.from_frames(FRAMES), tmp_path / "clip.dat")
    path.write_bytes(path.read_bytes()[:-6])
    refused(path, "39 frames; expected the 40 described")


ARRAYS = {
    "two": (FRAMES.astype(np.uint8) * 2, "the value 2 in frame"),
    "grey": (np.full((3, 2, 2), 255, np.uint8), "the value 255 in frame 0"),
    "negative": (np.where(np.arange(12).reshape(3, 2, 2) == 9, -1, 0), "the value -1 in frame 2"),
    "floats": (FRAMES.astype(np.float32), "holds float32 values(.|\n)*--in binarise=0.5"),
    "complex": (FRAMES.astype(np.complex64), "complex64"),
    "dates": (np.zeros((2, 2, 2), "M8[s]"), r"datetime64\[s\]"),
    "texts": (np.full((2, 2, 2), "1"), "<U1"),
    "records": (np.zeros((2, 2, 2), [("a", "u1")]), "values|kind|holds"),
    "two axes": (np.zeros((2, 2), np.uint8), r"shape \(2, 2\)"),
    "four axes": (np.zeros((2, 1, 2, 2), np.uint8), r"shape \(2, 1, 2, 2\)"),
    "no axes": (np.uint8(1), r"shape \(\)"),
    "no frames": (np.zeros((0, 2, 2), np.uint8), "no values"),
    "no rows": (np.zeros((2, 0, 2), np.uint8), "no values"),
}


NOT_IN_HDF5 = {"dates", "texts"}


@pytest.mark.parametrize(
    ("suffix", "name"),
    [(s, n) for s in (".npz", ".npy", ".h5") for n in ARRAYS if s != ".h5" or n not in NOT_IN_HDF5],
)
def test_arrays_that_are_no_spikes(tmp_path, suffix, name):
    values, message = ARRAYS[name]
    path = tmp_path / f"clip{suffix}"
    options = {"key": "a"}
    if suffix == ".npy":
        np.save(path, values)
        options = {}
    elif suffix == ".npz":
        np.savez(path, a=values)
    else:
        with h5py.File(path, "w") as file:
            file["a"] = values
    refused(path, message, **options)


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".h5"])
def test_binarise(tmp_path, suffix):
    values = np.random.default_rng(1).random((5, 3, 4)).astype(np.float32)
    path = tmp_path / f"clip{suffix}"
    options = {} if suffix == ".npy" else {"key": "a"}

    def save(values):
        if suffix == ".npy":
            np.save(path, values)
        elif suffix == ".npz":
            np.savez_compressed(path, a=values)
        else:
            with h5py.File(path, "w") as file:
                file["a"] = values

    save(values)
    assert np.array_equal(open_any(path, binarise=0.5, **options).unpack(), values > 0.5)
    values[3, 1, 2] = np.nan
    save(values)
    refused(path, "NaN in frame 3", binarise=0.5, **options)
    save(np.asfortranarray(values > 0.5))
    assert np.array_equal(open_any(path, **options).unpack(), values > 0.5)
    refused(path, "needs 10 bytes(.|\n)*--in limit=10" if suffix != ".npz" else "--in limit", limit=9, **options)


def test_npy_claims_more_than_it_has(tmp_path):
    path = tmp_path / "clip.npy"
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**13, 1, 1)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(b"\x00" * 100)
    refused(path, "claims")


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_pickles_are_not_loaded(tmp_path, suffix):
    path, trace = tmp_path / f"clip{suffix}", tmp_path / "executed"
    values = np.array([[[Payload(trace)]]], dtype=object)
    if suffix == ".npy":
        np.save(path, values, allow_pickle=True)
        refused(path, "pickle")
    else:
        np.savez(path, spk=values, label=values, label_name=values)
        refused(path, "pickle")
    assert not trace.exists()


def zipped(path, *members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def array_bytes(values, claimed=None):
    import io

    file = io.BytesIO()
    values = np.ascontiguousarray(values)
    header = {"descr": values.dtype.str, "fortran_order": False, "shape": claimed or values.shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + values.tobytes()


SPIKES = array_bytes(FRAMES)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_npz_with_one_name_twice(tmp_path):
    refused(zipped(tmp_path / "a.npz", ("spk.npy", SPIKES), ("spk.npy", SPIKES)), "two arrays named 'spk'", key="spk")
    refused(zipped(tmp_path / "b.npz", ("spk", SPIKES), ("spk.npy", SPIKES)), "two arrays named 'spk'", key="spk")


def test_npz_member_names_are_only_names(tmp_path):
    path = zipped(tmp_path / "a.npz", ("../../escape.npy", SPIKES))
    assert np.array_equal(sc.open(path, key="../../escape").unpack(), FRAMES)
    assert not (tmp_path.parent.parent / "escape.npy").exists()


@pytest.mark.parametrize("claimed", [(10**13, 6, 8), (39, 6, 8), (41, 6, 8), (-40, 6, 8), (2**40, 2**40, 2**40)])
def test_npz_header_claims_other_sizes(tmp_path, claimed):
    refused(zipped(tmp_path / "a.npz", ("spk.npy", array_bytes(FRAMES, claimed))), "claims", key="spk")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_npz_packed_by_other_methods(tmp_path, method):
    refused(zipped(tmp_path / "a.npz", ("spk.npy", SPIKES), method=method), "is packed by method", key="spk")


def test_npz_changed_value_is_noticed(tmp_path):
    path = zipped(tmp_path / "a.npz", ("spk.npy", SPIKES), method=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"\x93NUMPY") + len(SPIKES) - 5] ^= 1
    path.write_bytes(data)
    refused(path, "CRC", key="spk")


def test_npz_of_no_known_kind(tmp_path):
    path = zipped(tmp_path / "a.npz", ("volume.npy", SPIKES))
    refused(path, "arrays volume(.|\n)*--in key=volume")
    refused(path, "no array 'spikes'(.|\n)*it has: volume", key="spikes")
    refused(zipped(tmp_path / "b.npz"), "arrays none")


GOOD = {
    "uhsr": {"spk": FRAMES, "label": np.int64(3), "label_name": np.str_("x.jpg")},
    "spikling": {"seq": np.zeros((2, 6, 8), np.uint8), "tag": np.zeros((6, 8), np.uint8), "length": np.int64(13)},
    "ours": {
        "packed": np.zeros((40, 6), np.uint8),
        "height": np.int64(6),
        "width": np.int64(8),
        "length": np.int64(40),
        "rate": np.float64(1),
        "gain": np.float64(1),
    },
}


@pytest.mark.parametrize("kind", GOOD)
def test_npz_kinds_as_they_should_be(tmp_path, kind):
    np.savez(tmp_path / "a.npz", **GOOD[kind])
    assert sc.open(tmp_path / "a.npz").shape[1:] == (6, 8)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("uhsr", {"label": np.int64(-1)}),
        ("uhsr", {"label": np.float64(1)}),
        ("uhsr", {"label": np.zeros(2, np.int64)}),
        ("uhsr", {"label_name": np.int64(1)}),
        ("uhsr", {"label_name": np.array(["a", "b"])}),
        ("spikling", {"length": np.int64(17)}),
        ("spikling", {"length": np.int64(8)}),
        ("spikling", {"length": np.int64(0)}),
        ("spikling", {"length": np.int64(2**62)}),
        ("spikling", {"seq": np.zeros((2, 6, 8), np.int16)}),
        ("spikling", {"seq": np.zeros((2, 48), np.uint8)}),
        ("spikling", {"seq": np.zeros((2, 0, 8), np.uint8), "tag": np.zeros((0, 8), np.uint8)}),
        ("spikling", {"tag": np.zeros((8, 6), np.uint8)}),
        ("spikling", {"tag": np.zeros((6, 8))}),
        ("ours", {"packed": np.zeros((39, 6), np.uint8)}),
        ("ours", {"packed": np.zeros((40, 7), np.uint8)}),
        ("ours", {"packed": np.zeros((40, 6))}),
        ("ours", {"height": np.int64(0)}),
        ("ours", {"width": np.float64(8)}),
        ("ours", {"rate": np.float64("nan")}),
        ("ours", {"rate": np.float64(0)}),
        ("ours", {"gain": np.float64(-1)}),
    ],
)
def test_npz_kinds_that_contradict_themselves(tmp_path, kind, change):
    np.savez(tmp_path / "a.npz", **{**GOOD[kind], **change})
    refused(tmp_path / "a.npz", "expected")


def test_reading_under_a_memory_ceiling(tmp_path):
    """The address space is not touched by what a header claims."""
    path = tmp_path / "clip.npy"
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (2**36, 1, 8)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 2**39)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "needs 68719476736 bytes")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
