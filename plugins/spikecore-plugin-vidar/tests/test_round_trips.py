"""Whatever is written comes back bit for bit."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikecore_plugin_vidar.packing import from_words, repack, to_words

import spikecore as sc
from spikecore import Layout, SpikeStream, UsageError

SUFFIXES = [".dat", ".npz", ".npy", ".h5"]
SIZES = [(1, 1), (7, 9), (250, 400), (3, 416), (5, 250)]


def random_frames(seed, length, height, width):
    return np.random.default_rng(seed).random((length, height, width)) < 0.4


def layouts(height, width):
    """Every way the pictures of one size are known to be stored."""
    for flip in (False, True):
        for order in ("little", "big"):
            yield Layout(height, width, flip=flip, bit_order=order)
            yield Layout(height, width, width + 16, ((0, width),), flip, order)
    if width > 2:
        yield Layout(height, width, width + 5, ((0, 1), (4, width + 3)))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", SIZES)
def test_any_size_comes_back(tmp_path, suffix, size):
    frames = random_frames(0, 37, *size)
    stream = SpikeStream.from_frames(frames, rate=40_000.0, gain=1.5)
    read = sc.open(sc.save(stream, tmp_path / f"clip{suffix}"), height=None)
    assert np.array_equal(read.unpack(), frames)
    if suffix != ".npy":
        assert (read.rate, read.gain) == (40_000.0, 1.5)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), length=st.integers(1, 70), height=st.integers(1, 12), width=st.integers(1, 40))
def test_any_layout_can_be_written(tmp_path_factory, data, length, height, width):
    suffix = data.draw(st.sampled_from(SUFFIXES))
    layout = data.draw(st.sampled_from(list(layouts(height, width))))
    frames = random_frames(length, length, height, width)
    packed = layout.pack(frames)
    unused = np.ones(8 * layout.frame_bytes, bool)
    unused[layout.index] = False
    packed = packed | np.packbits(unused, bitorder="little")  # bits that no pixel uses must not matter
    path = sc.save(SpikeStream(packed, layout), tmp_path_factory.mktemp("any") / f"clip{suffix}")
    assert np.array_equal(sc.open(path).unpack(), frames)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), length=st.integers(1, 9), height=st.integers(1, 12), width=st.sampled_from([1, 7, 8, 16, 24]))
def test_repacking_is_what_layouts_say(data, length, height, width):
    ways = [Layout(height, width, flip=flip, bit_order=order) for flip in (False, True) for order in ("little", "big")]
    wanted = data.draw(st.sampled_from(ways))
    layout = data.draw(st.sampled_from([*ways, *layouts(height, width)]))
    frames = random_frames(length, length, height, width)
    assert np.array_equal(repack(layout.pack(frames), layout, wanted), wanted.pack(frames))


@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, 100), height=st.integers(1, 5), width=st.integers(1, 5))
def test_words_are_32_frames_lowest_bit_first(length, height, width):
    frames = random_frames(length, length, height, width).view(np.uint8)
    words = to_words(frames)
    assert words.shape == (-(-length // 32), height, width)
    for frame in range(length):
        assert np.array_equal((words[frame // 32] >> np.uint32(frame % 32)) & 1, frames[frame])
    assert np.array_equal(from_words(words, length), frames)


@pytest.mark.parametrize("options", [{"flip": False}, {"bit_order": "big"}, {"flip": False, "bit_order": "big"}])
def test_dat_is_written_as_asked_and_says_so(tmp_path, options):
    frames = random_frames(1, 11, 6, 16)
    path = sc.save(SpikeStream.from_frames(frames), tmp_path / "clip.dat", **options)
    expected = Layout(6, 16, flip=options.get("flip", True), bit_order=options.get("bit_order", "little"))
    assert np.array_equal(np.fromfile(path, np.uint8).reshape(11, -1), expected.pack(frames))
    assert np.array_equal(sc.open(path).unpack(), frames)


def test_dat_bytes_by_hand(tmp_path):
    """Two rows of eight pixels: the bottom row is stored first, the leftmost pixel is the lowest bit."""
    frames = np.zeros((1, 2, 8), bool)
    frames[0, 0, 0] = frames[0, 1, 7] = True
    path = sc.save(SpikeStream.from_frames(frames), tmp_path / "clip.dat")
    assert path.read_bytes() == bytes([0x80, 0x01])


def test_npz_is_plain_numpy(tmp_path):
    frames = random_frames(2, 5, 3, 5)
    path = sc.save(SpikeStream.from_frames(frames), tmp_path / "clip.npz")
    with np.load(path) as archive:
        assert (int(archive["height"]), int(archive["width"]), int(archive["length"])) == (3, 5, 5)
        bits = np.unpackbits(archive["packed"], axis=1, count=15, bitorder="little")
    assert np.array_equal(bits.reshape(5, 3, 5), frames)


def test_npy_is_plain_numpy(tmp_path):
    frames = random_frames(2, 5, 3, 5)
    path = sc.save(SpikeStream.from_frames(frames), tmp_path / "clip.npy")
    assert np.array_equal(np.load(path), frames)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_slices_are_written_as_they_are(tmp_path, suffix):
    frames = random_frames(3, 40, 6, 8)
    part = SpikeStream.from_frames(frames)[3:33:2]
    assert np.array_equal(sc.open(sc.save(part, tmp_path / f"clip{suffix}")).unpack(), frames[3:33:2])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_recording_without_frames_is_refused(tmp_path, suffix):
    empty = SpikeStream.from_frames(np.zeros((1, 4, 8), bool))[:0]
    with pytest.raises(UsageError, match="without frames"):
        sc.save(empty, tmp_path / f"clip{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{"height": 5}, {"header_columns": 16}, {"camera": "head16"}])
def test_dat_of_another_geometry_is_not_written(tmp_path, options):
    stream = SpikeStream.from_frames(np.zeros((2, 4, 8), bool))
    with pytest.raises(UsageError):
        sc.save(stream, tmp_path / "clip.dat", **options)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_writing_takes_constant_memory(tmp_path, suffix):
    """80 MB of frames (640 MB unpacked) are written in blocks; .h5 and .npy from fewer, because they take longer."""
    length = {".dat": 6400, ".npz": 6400, ".npy": 2400, ".h5": 2400}[suffix]
    source = tmp_path / "silent.dat"
    with source.open("wb") as file:
        file.truncate(length * 12_500)
    stream = sc.open(source, height=250, width=400)
    tracemalloc.start()
    try:
        sc.save(stream, tmp_path / f"copy{suffix}")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * 2**20 if suffix in (".npy", ".h5") else peak < 20 * 2**20
