"""Files that are no spike recordings are told as what they are, whatever their suffix and whatever is stated."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import attrs
import h5py
import numpy as np
import pytest

from spikecore import Component, PluginHost, PluginInfo, SpikeFormatError, hookimpl, open_source, option
from spikecore.files.foreign import identify
from spikecore.testing.data import random_spikes

N = 400
RANDOM = np.random.default_rng(0)
X, Y, P = RANDOM.integers(0, 34, N), RANDOM.integers(0, 30, N), RANDOM.integers(0, 2, N)
T = np.sort(RANDOM.integers(0, 300_000, N))
EVENTS = np.stack([T, X, Y, P], 1)
FIELDS = [("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "?")]
RECORDS = np.array([tuple(event) for event in EVENTS], FIELDS)


def lines(text, *columns):
    return "".join(text.format(*event) for event in zip(*columns, strict=True)).encode()


def bits_40():
    return np.stack([X, Y, P << 7 | T >> 16, T >> 8 & 255, T & 255], 1).astype(np.uint8).tobytes()


def packed(values, kind):
    return np.stack(values, 1).astype(kind).tobytes()


SURE = {
    "Prophesee": b"% evt 3.0\n% format EVT3;height=720;width=1280\n% end\n" + bytes(64),
    "CD events": b"% Data file containing CD events.\r\n% Version 2\r\n\x0c\x08" + bytes(64),
    "AEDAT, '#!AER-DAT1.0'": b"#!AER-DAT1.0\r\n" + bytes(64),
    "AEDAT, '#!AER-DAT2.0'": b"#!AER-DAT2.0\r\n# comment\r\n" + bytes(64),
    "AEDAT, '#!AER-DAT3.1'": b"#!AER-DAT3.1\r\n#Format: RAW\r\n" + bytes(64),
    "AEDAT, '#!AER-DAT4.0'": b"#!AER-DAT4.0\r\n" + bytes(64),
    "a ROS bag": b"#ROSBAG V2.0\n" + bytes(64),
    "MCAP": b"\x89MCAP0\r\n" + bytes(64),
    "Event Stream": b"Event Stream\x02\x00\x00" + bytes(64),
    "as text": lines("{:f} {} {} {}\n", T / 1e6, X, Y, P),
    "text, four": b"240 180\n" + lines("{} {} {} {}\n", T, X, Y, P),
    "four numbers a line": b"x,y,p,t\n" + lines("{},{},{},{}\n", X, Y, P, T),
    "lines with signs": b"# x y t p\n" + lines("{}\t{}\t{}\t{:+d}\r\n", X, Y, T, 2 * P - 1),
}
UNSURE = {
    "40 bits": bits_40(),
    "Prophesee cameras, without": packed([T, X | Y << 14 | P << 28], "<u4"),
    "AEDAT, without": packed([X << 1 | Y << 8 | P, T], ">u4"),
}
OTHER = {
    "gzip": gzip.compress(bits_40()),
    "bzip2": bz2.compress(bits_40()),
    "xz": lzma.compress(bits_40()),
    "7z": b"7z\xbc\xaf'\x1c\x00\x04" + bytes(64),
    "RAR": b"Rar!\x1a\x07\x01\x00" + bytes(64),
    "program": Path(sys.executable).read_bytes()[:4096],
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(64),
    "PNG": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64),
    "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(64),
    "TIFF": b"II*\x00\x08\x00\x00\x00" + bytes(64),
    "BMP": b"BM" + (100).to_bytes(4, "little") + bytes(94),
    "MP4": b"\x00\x00\x00\x20ftypisom" + bytes(64),
    "AVI": b"RIFF\x00\x10\x00\x00AVI LIST" + bytes(64),
    "pickle": pickle.dumps({"frames": list(range(100))}, protocol=4),
    "which is never read": pickle.dumps(np.zeros(9), protocol=2),
    "safetensors": (9).to_bytes(8, "little") + b'{"a": {}}' + bytes(64),
    "Windows": b"MZ".ljust(60, b"\0") + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(64),
    "SQLite": b"SQLite format 3\x00" + bytes(64),
    "MATLAB": b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(64),
    "text file": b"Take this recording with\na geometry of 250 x 400\n",
}


def made(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


OTHER["tar"] = tarfile.TarInfo("a.dat").tobuf(tarfile.USTAR_FORMAT) + bytes(512)
OTHER["zip"] = made(lambda file: zipfile.ZipFile(file, "w").writestr("a.dat", bytes(64)))
OTHER["NumPy array"] = made(lambda file: np.save(file, np.zeros((2, 3, 4), np.uint8)))


def hdf5(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name.replace("__", "/")] = values
    return path


def columns(names):
    return dict(zip(names.split(), (T, X, Y, P), strict=True))


HELD = {
    "records.npy": lambda path: np.save(path, RECORDS),
    "rows.npy": lambda path: np.save(path, EVENTS),
    "columns.npz": lambda path: np.savez(path, **columns("t x y p")),
    "plural.npz": lambda path: np.savez(path, **columns("ts xs ys ps")),
    "prefixed.npz": lambda path: np.savez(path, **columns("events_timestamps events_x events_y events_polarity")),
    "pairs.npz": lambda path: np.savez(path, dataset_events_t=T, dataset_events_p=P, dataset_events_xy=EVENTS[:, 1:3]),
    "records.npz": lambda path: np.savez_compressed(path, event_data=RECORDS),
    "rows.npz": lambda path: np.savez(path, events=EVENTS),
    "unnamed.npz": lambda path: np.savez(path, EVENTS.astype(float)),
    "v2e.h5": lambda path: hdf5(path, events=EVENTS, frame=np.zeros((2, 30, 34), np.uint8), frame_idx=np.zeros(2)),
    "mvsec.hdf5": lambda path: hdf5(path, davis__left__events=EVENTS, davis__left__image_raw=np.zeros((2, 3, 4))),
    "metavision.h5": lambda path: hdf5(path, CD__events=RECORDS),
    "m3ed.h5": lambda path: hdf5(path, **columns("cam__left__t cam__left__x cam__left__y cam__left__p")),
    "plural.h5": lambda path: hdf5(path, **columns("events__ts events__xs events__ys events__ps")),
    "top.h5": lambda path: hdf5(path, **columns("t x y p")),
}


@attrs.frozen
class Config:
    path: Path = option(help="the recording")


def host(recognise="", patterns=("*",)):
    """A host whose one source reads every file, as far as its name goes."""
    source = Component(
        "source",
        "any",
        target=f"{__name__}:dict",
        config=Config,
        summary="any file",
        produces=("events",),
        patterns=patterns,
        recognise=f"{__name__}:{recognise}" if recognise else "",
    )
    plugin = SimpleNamespace(
        spikecore_info=hookimpl(lambda: PluginInfo("any", license="MIT")),
        spikecore_components=hookimpl(lambda: [source]),
    )
    found = PluginHost()
    found.register(plugin, "any")
    return found


def sure(path, head):
    return 1.0


def another_s(path, head):
    return 0.1


def refuses(path, told, **options):
    with pytest.raises(SpikeFormatError, match=told) as caught:
        open_source(path, **options)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".dat", ".raw", ".bin", ".unknown"])
@pytest.mark.parametrize("what", SURE | UNSURE)
def test_event_recordings(tmp_path, what, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes((SURE | UNSURE)[what])
    found = identify(path)
    assert found.events
    assert found.sure == (what in SURE)
    told = refuses(path, "event|bag|MCAP", host=host("another_s"))
    assert "NAME.events.h5" in told
    assert "/events/x, y, t" in told


@pytest.mark.parametrize("name", HELD)
def test_columns_of_events(tmp_path, name):
    HELD[name](tmp_path / name)
    refuses(tmp_path / name, r"it holds events \(", host=host("another_s"))
    refuses(tmp_path / name, r"it holds events \(", host=host(patterns=("*.other",)))


def test_plain_columns_are_read_by_a_plugin_that_may_be_missing(tmp_path):
    path = hdf5(tmp_path / "a.h5", **columns("events__t events__x events__y events__p"))
    refuses(path, "pip install spikecore-plugin-simulate", host=host("another_s"))


@pytest.mark.parametrize("recognise", ["sure", ""])
def test_a_source_that_knows_them_opens_them(tmp_path, recognise, monkeypatch):
    path = tmp_path / "a.raw"
    path.write_bytes(SURE["Prophesee"])
    found = host(recognise)
    monkeypatch.setattr(found, "build", lambda component, options: component.id)
    assert open_source(path, host=found) == "any/any"


@pytest.mark.parametrize("what", OTHER)
def test_files_of_other_kinds(tmp_path, what):
    path = tmp_path / "a.dat"
    path.write_bytes(OTHER[what])
    found = identify(path)
    assert what in found.words
    assert not found.events
    refuses(path, f"{what}.*no installed plugin reads", host=host(patterns=("*.other",)))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: np.savez(path, **columns("t x y p"), spikes=np.zeros((8, 4, 8), np.uint8)),
        lambda path: np.savez(path, a=np.zeros((8, 4, 8), np.uint8)),
        lambda path: np.savez(path, x=X, y=Y),
        lambda path: hdf5(path, spikes=np.zeros((8, 4, 8), np.uint8), **columns("t x y p")),
        lambda path: hdf5(path, data=np.zeros((8, 4, 8), np.uint8)),
    ],
)
def test_files_that_may_hold_spikes_are_left_to_their_readers(tmp_path, write):
    path = tmp_path / "a.npz"
    write(path)
    assert not identify(path).events


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("size", [(1, 8), (5, 8), (8, 8), (3, 40), (16, 24)])
def test_no_recording_looks_like_anything_else(tmp_path, rate, size):
    path = tmp_path / "a.dat"
    frames = random_spikes(rate, 1000, size).unpack().reshape(1000, -1)
    growing = np.arange(frames.shape[1]) < np.linspace(0, frames.shape[1], 1000)[:, None]
    for spikes in (frames, growing, growing[:, ::-1], np.cumsum(frames, 0) % 2):
        for order in ("little", "big"):
            path.write_bytes(np.packbits(spikes, axis=1, bitorder=order).tobytes())
            assert identify(path) is None


def test_nothing_is_said_of_folders_and_of_what_is_not_there(tmp_path):
    assert identify(tmp_path) is None
    assert identify(tmp_path / "a.dat") is None
    (tmp_path / "empty.dat").touch()
    assert identify(tmp_path / "empty.dat") is None


def test_damaged_archives_are_left_to_their_readers(tmp_path):
    path, random = tmp_path / "a.npz", np.random.default_rng(0)
    np.savez(path, **columns("t x y p"))
    data = path.read_bytes()
    for _ in range(200):
        mutant = bytearray(data)
        for at in random.integers(4, len(mutant), 8):
            mutant[at] = random.integers(256)
        path.write_bytes(mutant[: random.integers(10, len(mutant))] if random.random() < 0.3 else mutant)
        assert identify(path) is not None
