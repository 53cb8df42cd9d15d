"""Which files are surely ours, which may be, and which are another's."""

from __future__ import annotations

import gzip

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_vidar import recognise

import spikecore as sc

STREAM = sc.SpikeStream.from_frames(np.random.default_rng(0).random((40, 6, 8)) < 0.3)
PROPHESEE = b"% date 2024-01-31 10:00:00\n% evt 3.0\n% geometry 1280x720\n" + bytes(64)
HEADERS = [PROPHESEE, b"% Data file containing CD events.\r\n% Version 2\n\x00", b"#!AER-DAT2.0\r\n# events\n"]


def said(path):
    """What the recogniser of the reader of this suffix says."""
    kind = {".dat": "dat", ".raw": "dat", ".npz": "npz", ".npy": "npy", ".h5": "hdf5"}[path.suffix]
    return getattr(recognise, f"recognise_{kind}")(path, path.read_bytes()[:4096])


def saved(path, **arrays):
    """A file of arrays as others would write it."""
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.update(arrays)
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        np.save(path, arrays["a"])
    return path


@pytest.mark.parametrize(("suffix", "least"), [(".npz", 1.0), (".h5", 1.0), (".npy", 0.6), (".dat", 0.5)])
def test_what_we_wrote(tmp_path, suffix, least):
    assert said(sc.save(STREAM, tmp_path / f"a{suffix}")) >= least


@pytest.mark.parametrize("names", [("spk", "label", "label_name"), ("seq", "tag", "length", "more")])
def test_archives_of_known_kinds(tmp_path, names):
    assert said(saved(tmp_path / "a.npz", **dict.fromkeys(names, np.zeros(1)))) == 1


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_arrays_of_any_name_may_be_spikes(tmp_path, suffix):
    assert 0 < said(saved(tmp_path / f"a{suffix}", a=np.zeros((2, 3, 4)))) < 0.5


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".h5"])
def test_of_damaged_files_our_readers_say_what_is_wrong(tmp_path, suffix):
    path = sc.save(STREAM, tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[:100] if suffix != ".npy" else b"damaged")
    assert 0 < said(path) < 0.5


def test_another_data_set_of_our_name(tmp_path):
    assert 0.5 < said(saved(tmp_path / "a.h5", spikes=np.zeros((2, 3, 4)))) < 1


def test_events_are_another_s(tmp_path):
    columns = {f"events/{name}": np.zeros(3, np.int64) for name in "xytp"}
    assert said(saved(tmp_path / "a.h5", **columns)) == 0
    assert said(saved(tmp_path / "a.npy", a=np.zeros((7, 4)))) == 0
    assert said(saved(tmp_path / "b.npy", a=np.zeros(7, [("x", "i2"), ("t", "i8")]))) == 0


@pytest.mark.parametrize("header", HEADERS, ids=["evt 3", "cd events", "aer-dat"])
def test_headers_of_event_cameras_are_no_spikes(tmp_path, header):
    path = tmp_path / "a.raw"
    path.write_bytes(header)
    assert said(path) == 0
    for options in ({}, {"height": 1, "width": 8}, {"height": 3, "width": 8, "allow_truncated": True, "check": False}):
        for source in (None, "vidar/dat"):
            with pytest.raises(sc.SpikeFormatError, match=r"event(.|\n)*\.events\.h5") as caught:
                sc.open(path, source=source, **options)
            assert str(path) in str(caught.value)


@given(st.binary(min_size=3, max_size=64))
def test_only_whole_lines_of_text_are_headers(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "line.dat"
    path.write_bytes(b"% " + data + bytes(8))
    line, end, _ = data.partition(b"\n")
    whole = bool(end) and all(0x20 <= byte < 0x7F for byte in line.removesuffix(b"\r")) and len(line.strip()) > 3
    assert (said(path) == 0) >= whole
    assert said(path) == 0.5 or end


@pytest.mark.parametrize("start", [gzip.compress(bytes(range(256))), b"\x7fELF\x02\x01\x01", b"PK\x03\x04"])
def test_other_files_under_our_suffix_are_no_spikes(tmp_path, start):
    path = tmp_path / "a.dat"
    path.write_bytes(start + bytes(64))
    for options in ({}, {"check": False}):
        with pytest.raises(sc.SpikeFormatError, match=r"gzip|ELF|zip archive"):
            sc.open(path, height=1, width=8, allow_truncated=True, **options)


def test_what_only_its_numbers_give_away_is_read_where_no_check_is_wanted(tmp_path):
    count = np.arange(400)
    events = np.stack([count % 30, count % 20, count % 2 << 7, count >> 8, count & 255], 1).astype(np.uint8)
    events.tofile(tmp_path / "a.bin")
    size = {"height": 5, "width": 8}
    for options in (size, {**size, "source": "vidar/dat"}, {"source": "vidar/dat"}):
        with pytest.raises(sc.SpikeFormatError, match=r"40 bits(.|\n)*check=False"):
            sc.open(tmp_path / "a.bin", **options)
    assert len(sc.open(tmp_path / "a.bin", **size, source="vidar/dat", check=False)) == 400


@pytest.mark.parametrize("pattern", ["*.npz", "*.dat"])
def test_folders_of_events_are_no_recordings(tmp_path, pattern):
    np.savez(tmp_path / "a.npz", **dict.fromkeys("xytp", np.arange(9)))
    (tmp_path / "a.dat").write_bytes(PROPHESEE)
    source = sc.open_source(tmp_path, source="vidar/folder", pattern=pattern, spikes=".", targets="")
    with pytest.raises(sc.SpikeFormatError, match=r"event"):
        source[0]
    saved(tmp_path / "a.h5", **{f"events/{name}": np.arange(9) for name in "xytp"})
    saved(tmp_path / "a.npy", a=np.zeros((9, 4)))
    for name, reader in (("a.npz", "npz"), ("a.h5", "hdf5"), ("a.npy", "npy")):
        with pytest.raises(sc.SpikeFormatError, match=r"it holds events"):
            sc.open(tmp_path / name, source=f"vidar/{reader}")


def test_folders(tmp_path):
    assert 0 < recognise.recognise_folder(tmp_path, b"") < 0.5
    (tmp_path / "1.NPZ").touch()
    assert recognise.recognise_folder(tmp_path, b"") == 0.5
    (tmp_path / "spike").mkdir()
    assert recognise.recognise_folder(tmp_path, b"") > 0.5


def test_recordings_under_the_name_of_events_are_opened_all_the_same(tmp_path):
    """Another plugin reads `*.events.h5`."""
    path = sc.save(STREAM, tmp_path / "a.h5").rename(tmp_path / "a.events.h5")
    assert np.array_equal(sc.open(path).unpack(), STREAM.unpack())
