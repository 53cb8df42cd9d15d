"""Picture files: what is written comes back, and what is no whole picture is refused before it is decoded."""

from __future__ import annotations

import os
import struct
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
from spikecore.files.pictures import SUFFIXES, read_image, read_pixels, write_truth

from .made_pictures import chunk, png, tiff

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (6, 8, 3), np.uint8)
GREY = RANDOM.integers(0, 256, (6, 8), np.uint8)
DEEP = RANDOM.integers(0, 65536, (6, 8), np.uint16)
READERS = {"pixels": read_pixels, "image": read_image, "of a size": lambda path: read_image(path, (6, 8))}


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
    read = read_image(path, picture.shape)
    assert read.shape == picture.shape
    assert read.dtype == np.float32
    assert np.abs(read - picture).max() <= 0.5001 / 65535


def test_truth_is_clipped_and_nothing_half_written_is_left(path):
    write_truth(np.array([[-1.0, 0.5, 2.0]], np.float32), path)
    assert np.allclose(read_image(path, (1, 3)), [[0, 0.5, 1]], atol=1e-5)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.png"]
    with pytest.raises(OutputError, match="there is no folder"):
        write_truth(GREY.astype(np.float32), path / "b.png")


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
@pytest.mark.parametrize("pixels", [COLOUR, GREY, DEEP], ids=["colour", "grey", "16 bits"])
def test_pixels_as_stored(path, suffix, pixels):
    if pixels is DEEP and suffix == ".bmp":
        pytest.skip("BMP has 8 bits")
    path.write_bytes(encoded(pixels, suffix))
    assert np.array_equal(read_pixels(path), pixels)


def test_names_do_not_decide_the_format(path):
    for suffix in SUFFIXES:
        pixels = COLOUR.astype(np.float32) / 255 if suffix == ".hdr" else COLOUR
        path.write_bytes(encoded(pixels, suffix))
        assert read_pixels(path).shape == (6, 8, 3)


def test_an_image_is_grey(path):
    path.write_bytes(encoded(COLOUR))
    expected = COLOUR.astype(float) @ [0.114, 0.587, 0.299] / 255
    read = read_image(str(path), (6, 8))
    assert np.abs(read - expected).max() < 1e-6
    assert read.dtype == np.float32
    path.write_bytes(encoded(DEEP))
    assert np.array_equal(read_image(path), DEEP.astype(np.float32) / np.float32(65535))


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
        (encoded(GREY)[:20], "header is cut or damaged"),
        (encoded(GREY)[:-20], "PNG file whose end is missing"),
        (encoded(GREY)[:40] + bytes(3) + encoded(GREY)[43:], "a damaged picture|whose end is missing"),
    ],
)
def test_what_is_no_picture(refuses, data, message):
    refuses(data, message)


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
    path.write_bytes(data)
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


LYING = {  # what a file of some hundred bytes claims
    "length of a chunk": encoded(GREY)[:33] + (2**31 - 1).to_bytes(4, "big") + encoded(GREY)[37:],
    "length of a text": encoded(GREY)[:33] + (2**31 - 64).to_bytes(4, "big") + b"zTXt" + encoded(GREY)[33:],
    "text": bomb(1, 1)[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**29), 9)) + bomb(1, 1)[33:],
    "tiff strip": tiff(GREY, t278=[2**32 - 1], t279=[2**32 - 1]),
    "tiff tile": tiff(GREY, t322=[2**15], t323=[2**15], t324=[8], t325=[48]),
    "tiff values": tiff(GREY, t270=[0] * 8).replace(struct.pack("<HHI", 270, 4, 8), struct.pack("<HHI", 270, 4, 2**30)),
    "pixels": png(GREY, pixels=bytes(2**29)),
    "tiff pixels": tiff(GREY, pixels=zlib.compress(bytes(2**29)), t259=[8]),
}
MEASURE = """
import resource, sys
from pathlib import Path
from spikecore import SpikeFormatError
from spikecore.files.pictures import read_image
import cv2
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_image(Path(sys.argv[1]))
except SpikeFormatError:
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("data", LYING.values(), ids=LYING)
def test_what_a_file_claims_takes_no_memory(path, data):
    """Hundreds of bytes, or half a megabyte of packed zeros, that would unfold to half a gigabyte and more."""
    assert len(data) < 2**20
    path.write_bytes(data)
    command = [sys.executable, "-c", MEASURE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    assert int(done.stdout) < 2**17  # kilobytes


def test_importing_costs_no_decoder():
    code = "import sys, spikecore.files.pictures; print(sorted({'cv2', 'torch', 'h5py', 'numba'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
