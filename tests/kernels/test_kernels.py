"""The kernels against loops that anybody can follow."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikecore import kernels

unhurried = settings(deadline=None)  # the first call of a kernel compiles it


def spikes(frames: int, width: int, rate: float, seed: int) -> np.ndarray:
    """Random spikes (frames, 8 * width), every pixel with a rate of its own up to twice the mean."""
    random = np.random.default_rng(seed)
    return (random.random((frames, 8 * width)) < 2 * rate * random.random(8 * width)).astype(np.uint8)


@st.composite
def streams(draw, max_frames=90, max_width=21):
    """Packed frames in memory of several kinds, and the same spikes unpacked."""
    frames, width = (
        draw(st.integers(1, max_frames) | st.sampled_from([30, 31, 64, 65])),
        draw(st.integers(1, max_width)),
    )
    rate = draw(st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]))
    bits = spikes(frames, width, rate, draw(st.integers(0, 9))) if rate < 1 else np.ones((frames, 8 * width), np.uint8)
    return lay(np.packbits(bits, axis=1, bitorder="little"), draw(st.sampled_from(LAYOUTS))), bits


LAYOUTS = ["plain", "read-only", "every third", "backwards", "part of rows", "gaps in rows", "odd address"]


def lay(packed: np.ndarray, layout: str) -> np.ndarray:
    """The same frames, in other memory."""
    frames, width = packed.shape
    if layout == "read-only":
        packed.setflags(write=False)
    if layout == "every third":
        packed = np.repeat(packed, 3, axis=0)[::3]
    if layout == "backwards":
        packed = np.ascontiguousarray(packed[::-1])[::-1]
    if layout == "part of rows":
        packed = np.pad(packed, ((0, 0), (3, 2)), constant_values=255)[:, 3:-2]
    if layout == "gaps in rows":
        packed = np.repeat(packed, 2, axis=1)[:, ::2]
    if layout == "odd address":
        packed = np.concatenate([[0], packed.ravel()]).astype(np.uint8)[1:].reshape(frames, width)
    return packed


def naive_neighbours(bits, at, search, closed):
    frames, pixels = bits.shape
    search = frames if search is None else search
    back = range(at - 1, at - search - 1, -1) if closed == "right" else range(at, at - search, -1)
    ahead = range(at, at + search) if closed == "right" else range(at + 1, at + search + 1)
    before, after = np.full(pixels, -1), np.full(pixels, -1)
    for pixel in range(pixels):
        for found, order in ((before, back), (after, ahead)):
            for frame in order:
                if 0 <= frame < frames and bits[frame, pixel]:
                    found[pixel] = abs(frame - at)
                    break
    return before, after


def naive_intervals(bits, at, search, closed):
    before, after = naive_neighbours(bits, at, search, closed)
    return np.where((before >= 0) & (after >= 0), before + after, 0)


def naive_sliding_intervals(bits, closed, longest):
    result = np.zeros(bits.shape, np.int64)
    for pixel in range(bits.shape[1]):
        times = np.flatnonzero(bits[:, pixel])
        for previous, following in pairwise(times):
            if following - previous <= longest:
                first = previous + (closed == "right")
                result[first : first + following - previous, pixel] = following - previous
    return result


@unhurried
@given(streams(), st.data())
def test_unpack_is_the_bits_in_order(stream, data):
    packed, bits = stream
    pixels = data.draw(st.none() | st.integers(1, bits.shape[1]))
    threads = data.draw(st.integers(1, 3))
    result = kernels.unpack(packed, pixels, threads=threads)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, bits[:, :pixels])


@unhurried
@given(st.integers(0, 20), st.integers(1, 200), st.integers(0, 9))
def test_pack_and_unpack_are_inverse(frames, pixels, seed):
    bits = np.random.default_rng(seed).integers(0, 2, (frames, pixels), dtype=np.uint8)
    packed = kernels.pack(bits)
    assert packed.shape == (frames, -(-pixels // 8))
    np.testing.assert_array_equal(kernels.unpack(packed, pixels), bits)
    assert not kernels.unpack(packed)[:, pixels:].any()
    np.testing.assert_array_equal(kernels.pack(bits.astype(bool)), packed)


@unhurried
@given(streams(max_frames=90, max_width=150), st.data())
def test_counts(stream, data):
    packed, bits = stream
    start = data.draw(st.integers(0, len(bits)))
    stop = data.draw(st.integers(start, len(bits)))
    result = kernels.counts(packed, start, stop, threads=data.draw(st.integers(1, 3)))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, bits[start:stop].sum(0))


@pytest.mark.parametrize(
    ("frames", "dtype"), [(255, np.uint8), (256, np.uint16), (65535, np.uint16), (65536, np.uint32)]
)
def test_counts_use_the_smallest_dtype_that_holds_them(frames, dtype):
    result = kernels.counts(np.full((frames, 1), 0b101, np.uint8))
    assert result.dtype == dtype
    assert result.tolist() == [frames, 0, frames, 0, 0, 0, 0, 0]


def test_counts_of_long_streams():
    bits = spikes(2000, 9, 0.4, 1)
    np.testing.assert_array_equal(kernels.counts(kernels.pack(bits), 7), bits[7:].sum(0))


@unhurried
@given(streams(), st.data())
def test_sliding_counts(stream, data):
    packed, bits = stream
    window = data.draw(st.integers(1, len(bits)))
    result = kernels.sliding_counts(packed, window, threads=data.draw(st.integers(1, 3)))
    assert result.dtype == np.uint8
    expected = [bits[first : first + window].sum(0) for first in range(len(bits) - window + 1)]
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(("window", "dtype"), [(255, np.uint8), (256, np.uint16), (700, np.uint16), (65536, np.uint32)])
def test_sliding_counts_of_wide_windows(window, dtype):
    bits = spikes(window + 3, 3, 0.5, 2)
    bits[:, 0] = 1
    result = kernels.sliding_counts(kernels.pack(bits), window)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, [bits[first : first + window].sum(0) for first in range(4)])


@unhurried
@given(streams(max_frames=40, max_width=11), st.data())
def test_neighbours_and_intervals(stream, data):
    packed, bits = stream
    at = data.draw(st.integers(0, len(bits) - 1))
    search = data.draw(st.none() | st.integers(1, len(bits) + 2))
    closed = data.draw(st.sampled_from(["left", "right"]))
    before, after = kernels.neighbours(packed, at, search=search, closed=closed)
    expected = naive_neighbours(bits, at, search, closed)
    np.testing.assert_array_equal(before, expected[0])
    np.testing.assert_array_equal(after, expected[1])
    result = kernels.intervals(packed, at, search=search, closed=closed)
    np.testing.assert_array_equal(result, naive_intervals(bits, at, search, closed))
    assert before.dtype == after.dtype == result.dtype == np.int32


def test_neighbours_far_away_in_wide_frames():
    packed = np.zeros((3000, 4500), np.uint8)
    packed[0, ::7] = 1
    packed[2999, ::5] = 3
    before, after = (found.reshape(-1, 8) for found in kernels.neighbours(packed, 1024))
    assert set(before[::7, 0]) == {1024}
    assert set(after[::5, 1]) == {1975}
    assert (before >= 0).sum() == len(before[::7])
    assert (after >= 0).sum() == 2 * len(after[::5])


def test_the_search_goes_on_while_any_pixel_waits():
    packed = np.zeros((50, 130), np.uint8)
    packed[40, :64] = packed[26, 64:] = 255
    before, after = kernels.neighbours(packed, 45)[0], kernels.neighbours(packed, 20)[1]
    assert before.tolist() == [5] * 512 + [19] * 528
    assert after.tolist() == [20] * 512 + [6] * 528


@unhurried
@given(streams(max_frames=200, max_width=11), st.data())
def test_sliding_intervals(stream, data):
    packed, bits = stream
    closed = data.draw(st.sampled_from(["left", "right"]))
    longest = data.draw(st.sampled_from([1, 2, 9, 100, 255, 256, 65535]))
    result = kernels.sliding_intervals(packed, closed=closed, longest=longest, threads=data.draw(st.integers(1, 3)))
    assert result.dtype == (np.uint8 if longest <= 255 else np.uint16)
    np.testing.assert_array_equal(result, naive_sliding_intervals(bits, closed, longest))


@pytest.mark.parametrize("closed", ["left", "right"])
@pytest.mark.parametrize("longest", [254, 255, 256, 300])
def test_sliding_intervals_about_as_long_as_the_longest(closed, longest):
    bits = np.zeros((1700, 8), np.uint8)
    for pixel, length in enumerate([1, 253, 254, 255, 256, 257, 300, 301]):
        bits[::length, pixel] = 1
    result = kernels.sliding_intervals(kernels.pack(bits), closed=closed, longest=longest)
    np.testing.assert_array_equal(result, naive_sliding_intervals(bits, closed, longest))


@pytest.mark.parametrize(("width", "offset", "threads"), [(1000, 0, 2), (1001, 8, 1), (1001, 1, 2)])
def test_results_larger_than_the_caches(width, offset, threads):
    bits = spikes(2200, width, 0.1, 3)
    packed = kernels.pack(bits)
    room = np.empty(bits.size + 64, np.uint8)

    def filled(function, rows, **options):
        room[:] = 77
        out = room[offset : offset + rows * 8 * width].reshape(rows, 8 * width)
        assert function(packed, out=out, threads=threads, **options) is out
        assert (room[:offset] == 77).all()
        assert (room[offset + out.size :] == 77).all()
        return out

    assert (filled(kernels.unpack, len(bits)) == bits).all()
    sums = np.cumsum(bits, axis=0, dtype=np.int16)
    counted = filled(kernels.sliding_counts, len(bits) - 40, window=41)
    assert (counted[0] == sums[40]).all()
    assert (counted[1:] == sums[41:] - sums[:-41]).all()
    lengths = filled(kernels.sliding_intervals, len(bits), closed="left")
    pixels = [0, 63, 64, 4095, 8 * width - 1]
    np.testing.assert_array_equal(lengths[:, pixels], naive_sliding_intervals(bits[:, pixels], "left", 255))
    assert (lengths == kernels.sliding_intervals(packed, closed="left", threads=3 - threads)).all()


@unhurried
@given(streams(max_frames=30, max_width=5))
def test_input_is_left_alone(stream):
    packed, bits = stream
    for use in (kernels.unpack, kernels.counts, kernels.sliding_intervals, lambda p: kernels.intervals(p, 0)):
        use(packed)
    np.testing.assert_array_equal(np.unpackbits(packed, axis=1, bitorder="little"), bits)


def test_memory_maps_are_read_in_place(tmp_path):
    bits = spikes(50, 13, 0.2, 4)
    kernels.pack(bits).tofile(tmp_path / "spikes.bin")
    packed = np.memmap(tmp_path / "spikes.bin", np.uint8, "r", shape=(50, 13))
    np.testing.assert_array_equal(kernels.counts(packed[::2]), bits[::2].sum(0))
    np.testing.assert_array_equal(kernels.unpack(packed), bits)
    np.testing.assert_array_equal(kernels.intervals(packed, 25), naive_intervals(bits, 25, None, "right"))


def test_streams_without_frames():
    packed = np.zeros((0, 3), np.uint8)
    assert kernels.unpack(packed).shape == (0, 24)
    assert kernels.counts(packed).tolist() == [0] * 24
    assert kernels.sliding_intervals(packed).shape == kernels.sliding_intervals(packed, closed="left").shape == (0, 24)


PACKED = np.zeros((10, 4), np.uint8)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: kernels.counts([[1]]), TypeError, "uint8 array or tensor, got list"),
        (lambda: kernels.counts(PACKED.astype(np.int16)), TypeError, "must be uint8, got int16"),
        (lambda: kernels.counts(PACKED[0]), ValueError, r"\(frames, bytes per frame\), got \(4,\)"),
        (lambda: kernels.counts(PACKED[:, :0]), ValueError, r"got \(10, 0\)"),
        (lambda: kernels.counts(PACKED, 3, 11), ValueError, "stop must be 0 or more and at most 10, got 11"),
        (lambda: kernels.counts(PACKED, 3, 2), ValueError, "start must be 0 or more and at most 2, got 3"),
        (lambda: kernels.counts(PACKED, 0.5), TypeError, "start must be a whole number, got 0.5"),
        (lambda: kernels.counts(PACKED, threads=0), ValueError, "threads must be 1 or more, got 0"),
        (lambda: kernels.unpack(PACKED, 33), ValueError, "pixels must be 1 or more and at most 32, got 33"),
        (lambda: kernels.unpack(PACKED, out=PACKED), ValueError, r"shape \(10, 32\), got shape \(10, 4\)"),
        (lambda: kernels.unpack(PACKED, out=np.zeros((10, 32))), TypeError, "array of uint8, got float64"),
        (lambda: kernels.unpack(PACKED, out=np.zeros((10, 64), "B")[:, ::2]), ValueError, "not contiguous"),
        (lambda: kernels.unpack(PACKED, out=np.frombuffer(bytes(320), "B").reshape(10, 32)), ValueError, "only"),
        (lambda: kernels.pack(PACKED + 2), ValueError, "0 and 1 only"),
        (lambda: kernels.sliding_counts(PACKED, 11), ValueError, "window of 11 frames is longer than the stream of 10"),
        (lambda: kernels.neighbours(PACKED, 10), IndexError, r"frame 10 is outside the stream; .* 0\.\.9"),
        (lambda: kernels.intervals(PACKED, 1, search=0), ValueError, "search must be 1 or more, got 0"),
        (lambda: kernels.intervals(PACKED, 1, closed="both"), ValueError, "'left' or 'right', got 'both'"),
        (lambda: kernels.sliding_intervals(PACKED, longest=65536), ValueError, "at most 65535, got 65536"),
    ],
)
def test_bad_arguments_say_what_was_expected(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_import_takes_neither_numba_nor_torch():
    code = "import sys, spikecore.kernels; sys.exit(bool({'numba', 'torch', 'llvmlite'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def check_tensors(device):
    torch = pytest.importorskip("torch")
    for frames, width, rate in ((1, 1, 0.5), (120, 7, 0.1), (300, 33, 0.02)):
        packed = kernels.pack(spikes(frames, width, rate, 5))
        tensor = torch.from_numpy(packed).to(device)
        calls = [
            kernels.unpack,
            kernels.counts,
            partial(kernels.unpack, pixels=8 * width - 3),
            partial(kernels.counts, start=frames // 3, stop=frames // 2),
        ]
        calls += [partial(kernels.sliding_counts, window=window) for window in (1, 41, 256) if window <= frames]
        for closed in ("left", "right"):
            calls += [partial(kernels.sliding_intervals, closed=closed, longest=longest) for longest in (5, 255, 900)]
            for at, search in product({0, frames // 2, frames - 1}, (None, 1, 20)):
                calls.append(partial(kernels.intervals, at=at, search=search, closed=closed))
                calls.append(lambda p, o={"at": at, "search": search, "closed": closed}: kernels.neighbours(p, **o)[0])
        for call in calls:
            expected, result = call(packed), call(tensor)
            assert result.device == tensor.device
            assert result.cpu().numpy().dtype.itemsize == expected.dtype.itemsize
            np.testing.assert_array_equal(result.cpu().numpy(), expected)


def test_tensors_give_the_same_values():
    check_tensors("cpu")


@pytest.mark.gpu
def test_cuda_tensors_give_the_same_values():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    check_tensors("cuda")


def test_tensors_are_worked_on_in_pieces(monkeypatch):
    pytest.importorskip("torch")
    from spikecore.kernels import _torch

    monkeypatch.setattr(_torch, "PIECE", 2000)
    check_tensors("cpu")


def test_tensors_take_a_tensor_as_out():
    torch = pytest.importorskip("torch")
    packed = torch.from_numpy(kernels.pack(spikes(20, 3, 0.3, 7)))
    out = torch.empty((20, 24), dtype=torch.uint8)
    assert kernels.unpack(packed, out=out) is out
    with pytest.raises(ValueError, match="out must be a tensor of"):
        kernels.sliding_intervals(packed, out=out[1:])
