"""Picture files: what is written comes back, and what is no whole picture is refused before it is decoded."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from spikecore import OutputError, SpikeFormatError
from spikecore.files.pictures import SUFFIXES, read_image, read_pixels, read_truth, write_truth

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (6, 8, 3), np.uint8)
GREY = RANDOM.integers(0, 256, (6, 8), np.uint8)
DEEP = RANDOM.integers(0, 65536, (6, 8), np.uint16)
READERS = {"pixels": read_pixels, "image": read_image, "truth": lambda path: read_truth(path, (6, 8))}


def encoded(pixels, suffix=".png"):
    return cv2.imencode(suffix, pixels)[1].tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.png"


@pytest.fixture(params=READERS)
def refuses(request, path):
    """refuses(data, message): a reader refuses a file, naming it."""

    def refuses(data, message):
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(SpikeFormatError, match=message) as caught:
            READERS[request.param](path)
        assert str(caught.value).startswith(f"{path}: ")

    return refuses


@given(npst.arrays(np.float32, npst.array_shapes(min_dims=2, max_dims=2), elements=st.floats(0, 1, width=32)))
def test_truth_comes_back(tmp_path_factory, picture):
    path = write_truth(picture, tmp_path_factory.getbasetemp() / "truth.png")
    read = read_truth(path, picture.shape)
    assert read.shape == (1, *picture.shape)
    assert read.dtype == np.float32
    assert np.abs(read[0] - picture).max() <= 0.5001 / 65535
    assert np.array_equal(read_image(path, picture.shape), read[0])


def test_truth_is_clipped_and_nothing_half_written_is_left(path):
    write_truth(np.array([[-1.0, 0.5, 2.0]], np.float32), path)
    assert np.allclose(read_truth(path, (1, 3)), [[[0, 0.5, 1]]], atol=1e-5)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.png"]
    with pytest.raises(OutputError, match="there is no folder"):
        write_truth(GREY.astype(np.float32), path / "b.png")


@pytest.mark.parametrize("pixels", [GREY, DEEP], ids=["8 bits", "16 bits"])
def test_truth_of_8_or_16_bits(path, pixels):
    path.write_bytes(encoded(pixels))
    assert np.array_equal(read_truth(path, (6, 8))[0], pixels.astype(np.float32) / np.iinfo(pixels.dtype).max)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encoded(COLOUR), "3 values a pixel; expected a grey PNG"),
        (encoded(np.dstack([COLOUR, GREY])), "4 values a pixel"),
        (encoded(GREY, ".jpg"), "a JPEG picture; expected a grey PNG"),
        (encoded(GREY, ".tiff"), "a TIFF picture"),
        (encoded(GREY.T), r"a picture of 8x6; expected 6x8 \(height x width\), as the recording"),
        (encoded(GREY[:5]), "a picture of 5x8; expected 6x8"),
    ],
)
def test_pictures_that_are_no_truth(path, data, message):
    path.write_bytes(data)
    with pytest.raises(SpikeFormatError, match=message):
        read_truth(path, (6, 8))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
@pytest.mark.parametrize("pixels", [COLOUR, GREY, DEEP], ids=["colour", "grey", "16 bits"])
def test_pixels_as_stored(path, suffix, pixels):
    if pixels is DEEP and suffix == ".bmp":
        pytest.skip("BMP has 8 bits")
    path.write_bytes(encoded(pixels, suffix))
    assert np.array_equal(read_pixels(path), pixels)


def test_names_do_not_decide_the_format(path):
    for suffix in SUFFIXES:
        path.write_bytes(encoded(GREY, suffix))
        assert read_pixels(path).shape == (6, 8)


def test_an_image_is_grey(path):
    path.write_bytes(encoded(COLOUR))
    expected = COLOUR.astype(float) @ [0.114, 0.587, 0.299] / 255
    read = read_image(str(path), (6, 8))
    assert np.abs(read - expected).max() < 1e-6
    assert read.dtype == np.float32
    path.write_bytes(encoded(DEEP))
    assert np.array_equal(read_image(path), DEEP.astype(np.float32) / np.float32(65535))


def test_an_image_of_floating_point_values(path):
    values = GREY.astype(np.float32) / 255
    path.write_bytes(encoded(values, ".tiff"))
    assert np.array_equal(read_image(path), values)
    path.write_bytes(encoded(COLOUR.astype(np.float32) / 255, ".tiff"))
    assert np.allclose(read_image(path), COLOUR.astype(float) @ [0.114, 0.587, 0.299] / 255)
    for wrong, message in ((1.5, r"intensities of 0(\.\d+)?\.\.1.5; expected 0..1"), (np.nan, "not finite")):
        path.write_bytes(encoded(np.where(GREY > 128, np.float32(wrong), values), ".tiff"))
        with pytest.raises(SpikeFormatError, match=message):
            read_image(path)


def test_an_image_of_another_size(path):
    path.write_bytes(encoded(GREY))
    for size in ((8, 6), (6, 9), (600, 800)):
        with pytest.raises(SpikeFormatError, match=f"a picture of 6x8; expected {size[0]}x{size[1]}"):
            read_image(path, size)


def test_missing(refuses, path):
    refuses(None, "no such file")
    os.mkfifo(path)
    refuses(None, "a named pipe")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (b"<html>not found</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"hello, I am a picture", r"it starts with b'hello, I', which no picture does"),
        (b"GIF89a" + encoded(GREY), r"starts with b'GIF89a"),
        (encoded(GREY)[:20], "header is cut or damaged"),
        (encoded(GREY)[:-20], "PNG file whose end is missing; expected a complete picture"),
        (encoded(GREY)[:40] + bytes(3) + encoded(GREY)[43:], "a damaged picture|cannot be read"),
    ],
)
def test_what_is_no_picture(refuses, data, message):
    refuses(data, message)


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def bomb(rows, columns):
    """A correct PNG of zeros in a few kilobytes."""
    header = columns.to_bytes(4, "big") + rows.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(columns + 1)) for _ in range(rows)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_small_files_cannot_unfold_to_gigabytes(refuses, path, monkeypatch):
    data = bomb(20_000, 20_000)
    assert len(data) < 10**6
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    refuses(data, "a picture of 20000x20000; expected")
    with pytest.raises(SpikeFormatError, match="a picture of 20000x20000; expected 6x8"):
        read_image(path, (6, 8))


def test_large_files_are_not_read(refuses, path):
    path.write_bytes(encoded(GREY))
    os.truncate(path, 2**29)
    refuses(None, "536870912 bytes; expected a picture of at most")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff"])
def test_damaged_pictures_are_read_or_refused(path, suffix):
    data, random = encoded(RANDOM.integers(0, 256, (12, 14, 3), np.uint8), suffix), np.random.default_rng(1)
    outcomes = set()
    for _ in range(100):
        mutant = bytearray(data)
        for _ in range(3):
            mutant[random.integers(len(mutant))] = random.integers(256)
        path.write_bytes(mutant[: random.integers(1, len(mutant))] if random.random() < 0.2 else mutant)
        try:
            outcomes.add(read_image(path).dtype)
        except SpikeFormatError:
            outcomes.add("refused")
    assert "refused" in outcomes
    assert outcomes <= {np.dtype(np.float32), "refused"}


def test_importing_costs_no_decoder():
    code = "import sys, spikecore.files.pictures; print(sorted({'cv2', 'torch', 'h5py', 'numba'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
