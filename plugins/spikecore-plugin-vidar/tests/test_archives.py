"""Archives whose directory lies, hides or exaggerates: the right recording or an error, in bounded memory."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikecore as sc
from spikecore import SpikeFormatError, SpikeStream, UsageError

FRAMES = np.random.default_rng(0).random((40, 6, 8)) < 0.3
DIRECTORY = b"PK\x01\x02"


def refused(path, message, **options):
    with pytest.raises(SpikeFormatError, match=message) as caught:
        sc.open(path, **options)
    assert str(path) in str(caught.value)


def zeros(path, shape, kind="u1", fortran=False):
    """An archive of one array of zeros, packed as small as can be."""
    left = int(np.prod(shape, dtype=object)) * np.dtype(kind).itemsize
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        header = {"descr": np.dtype(kind).str, "fortran_order": fortran, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)
        while left > 0:
            left -= member.write(bytes(min(left, 2**22)))
    return path


@pytest.fixture
def own(tmp_path):
    return sc.save(SpikeStream.from_frames(FRAMES, rate=123.0, gain=1.5), tmp_path / "own.npz")


def seen(path):
    stream = sc.open(path)
    return stream.rate, stream.gain, stream.unpack().tobytes()


def test_dark_recordings_are_read(tmp_path):
    """Deflate makes silence a thousand times smaller; that is no attack."""
    path = zeros(tmp_path / "dark.npz", (1100, 250, 250))
    stream = sc.open(path, key="a")
    assert (stream.shape, int(stream.counts().sum())) == ((1100, 250, 250), 0)


@pytest.mark.parametrize(
    ("shape", "kind", "options"),
    [
        ((5000, 250, 400), "u1", {}),
        ((400, 250, 5000), "u1", {"fortran": True}),
        ((2**28 + 1, 1, 1), "u1", {}),
        ((1, 1, 2**29), "u1", {}),
        ((600, 250, 400), "f8", {}),
    ],
)
def test_small_files_take_little_memory(tmp_path, shape, kind, options):
    """Half a gigabyte of zeros in half a megabyte is read in blocks, or refused with the limit to type."""
    path = zeros(tmp_path / "a.npz", shape, kind, **options)
    program = (
        "import resource, sys, spikecore as sc\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "sc.open(sys.argv[2]); before = peak()\n"
        "try: sc.open(sys.argv[1], key='a', check=False, binarise=0.5 if sys.argv[3] == 'f8' else None)\n"
        "except sc.SpikeFormatError as error: assert '--in limit=' in str(error), error\n"
        "print(peak() - before)\n"
    )
    small = sc.save(SpikeStream.from_frames(FRAMES), tmp_path / "small.npz")
    words = [sys.executable, "-c", program, str(path), str(small), kind]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert int(done.stdout) < 250_000, done.stderr


def test_limit_is_memory(tmp_path):
    path = zeros(tmp_path / "a.npz", (800, 250, 400))
    refused(path, r"needs 10000000 bytes(.|\n)*--in limit=10000000", key="a", limit=9_999_999)
    assert len(sc.open(path, key="a", limit=10_000_000)) == 800


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_name_damaged_in_the_directory_loses_nothing(own, at):
    data = own.read_bytes()
    places = [i for i in range(len(data)) if data.startswith(DIRECTORY, i)]
    gain = next(i for i in places if data[i + 46 :].startswith(b"gain.npy"))
    damaged = bytearray(data)
    damaged[gain + at] ^= 0x10
    own.write_bytes(damaged)
    with suppress(SpikeFormatError):
        assert seen(own)[:2] == (123.0, 1.5)


def test_member_missing_in_the_directory_is_noticed(own):
    """The entry of `gain` is cut out and all lengths put right: only its data remain, which belong to nothing."""
    data = own.read_bytes()
    places = [i for i in range(len(data)) if data.startswith(DIRECTORY, i)]
    gain = next(n for n, i in enumerate(places) if data[i + 46 :].startswith(b"gain.npy"))
    first, after = places[gain], places[gain + 1]
    end = bytearray(data[data.rindex(b"PK\x05\x06") :])
    count, size = len(places) - 1, data.rindex(b"PK\x05\x06") - places[0] - (after - first)
    struct.pack_into("<2HI", end, 8, count, count, size)
    own.write_bytes(data[:first] + data[after : data.rindex(b"PK\x05\x06")] + bytes(end))
    with zipfile.ZipFile(own) as archive:
        assert "gain.npy" not in archive.namelist()
    refused(own, "belong to no array")


def test_arrays_that_are_left_out_are_noticed(own):
    """Unpacked and packed again without one of them."""
    with np.load(own) as archive:
        arrays = dict(archive)
    np.savez(own, **{name: value for name, value in arrays.items() if name != "gain"})
    refused(own, "expected packed height width length rate gain: the file was altered")
    np.savez(own, **{**arrays, "format": np.array("spikecore spikes 9: packed")})
    refused(own, "upgrade spikecore-plugin-vidar")
    np.savez(own, **{name: value for name, value in arrays.items() if name != "format"})
    assert seen(own) == (123.0, 1.5, FRAMES.view(np.uint8).tobytes())  # as it was written before


def test_members_over_each_other(tmp_path):
    """Two names for one piece of data: a quine of this kind unpacks to any size."""
    path = tmp_path / "a.npz"
    np.savez(path, a=FRAMES, b=FRAMES)
    data = path.read_bytes()
    first, second = (i for i in range(len(data)) if data.startswith(DIRECTORY, i))
    data = bytearray(data)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    path.write_bytes(data)
    refused(path, "lie over each other|otherwise in the directory", key="b")


def test_thousands_of_members(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1001):
            archive.writestr(f"{number}.npy", b"")
    refused(path, "1001 arrays", key="1")


@pytest.mark.parametrize("size", [20_000, 2**20])
def test_long_headers_are_not_parsed(tmp_path, size):
    path = tmp_path / "a.npy"
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (" + b"(" * size + b"\n"
    path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text)
    refused(path, "a header of .* bytes")


@pytest.mark.parametrize(
    "text", [b"(" * 9000, b"-" * 9000 + b"1", b"{'shape': " * 900, b"1" * 9000, b"[" * 90 + b"\x00"]
)
def test_headers_that_nest(tmp_path, text):
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    refused(path, "NumPy array file")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_truth_values_that_are_neither(tmp_path, suffix):
    values = np.zeros((3, 4, 5), bool)
    values.view(np.uint8)[1, 2, 3] = 2
    path = tmp_path / f"a{suffix}"
    np.save(path, values) if suffix == ".npy" else np.savez(path, a=values)
    refused(path, "the value 2 in frame 1", **({} if suffix == ".npy" else {"key": "a"}))


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("chance", [0.02, 0.3])
def test_packed_bits_are_suspected(tmp_path, axis, order, chance):
    frames = np.random.default_rng(0).random((64, 24, 40)) < chance
    np.save(tmp_path / "a.npy", np.packbits(frames, axis=axis, bitorder=order))
    refused(tmp_path / "a.npy", r"packed bits(.|\n)*numpy.unpackbits\(array.view\('u1'\), axis=0\)")
    np.save(tmp_path / "b.npy", frames * np.uint8(255))
    refused(tmp_path / "b.npy", "--in binarise=0.5")


def test_file_that_shrinks_between_looking_and_reading(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((500, 100, 100), np.uint8))
    source = sc.open_source(path)
    with path.open("r+b") as file:
        file.truncate(1_000_000)
    with pytest.raises(SpikeFormatError, match="4000128 bytes are missing"):
        source[0]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_own_archives_are_right_or_refused(tmp_path_factory, data):
    """Up to four bytes changed, or a piece removed, doubled or put elsewhere: never other values."""
    folder = tmp_path_factory.mktemp("own")
    path = sc.save(SpikeStream.from_frames(FRAMES[:9], rate=123.0, gain=1.5), folder / "own.npz")
    good = seen(path)
    raw = bytearray(path.read_bytes())
    places = st.integers(0, len(raw) - 1)
    if data.draw(st.booleans()):
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(places)] = data.draw(st.integers(0, 255))
    else:
        start, length, to = data.draw(places), data.draw(st.integers(1, 60)), data.draw(places)
        piece = raw[start : start + length]
        if data.draw(st.booleans()):
            del raw[start : start + length]
        raw[to:to] = piece if data.draw(st.booleans()) else b""
    Path(path).write_bytes(raw)
    with suppress(SpikeFormatError):
        assert seen(path) == good


def test_our_own_say_their_axes_themselves(own):
    with pytest.raises(UsageError, match="leave out axes=hwt"):
        sc.open(own, axes="hwt")
