"""The size that a picture's header claims is the size that it has when it is decoded."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore import SpikeFormatError
from spikecore.files.pictures import read_header

from .made_pictures import bmp, exif, tiff

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".bmp": "BMP", ".tiff": "TIFF", ".hdr": "HDR"}


def read(data):
    return read_header(Path("a.png"), data)


def encoded(suffix, height=6, width=8, channels=1):
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return cv2.imencode(suffix, pixels / np.float32(255) if suffix == ".hdr" else pixels)[1].tobytes()


@given(
    suffix=st.sampled_from(sorted(FORMATS)),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    channels=st.sampled_from([1, 3]),
)
def test_size_of_what_opencv_writes(suffix, height, width, channels):
    header = read(encoded(suffix, height, width, 3 if suffix == ".hdr" else channels))
    assert (header.format, header.height, header.width, header.orientation) == (FORMATS[suffix], height, width, 1)
    assert header.channels >= channels


@given(st.binary(max_size=200), st.sampled_from([b"", *(encoded(suffix, 6, 8, 3)[:30] for suffix in sorted(FORMATS))]))
def test_any_bytes_have_a_header_or_are_refused(data, start):
    with suppress(SpikeFormatError):
        assert read(start + data).format in FORMATS.values()


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_a_cut_header_is_refused(suffix):
    with pytest.raises(SpikeFormatError, match=r"header is cut or damaged|starts with|end is missing|begin with"):
        read(encoded(suffix, channels=3)[:17])


def test_bitmaps_stored_either_way():
    rows = np.arange(48, dtype=np.uint8).reshape(6, 8)
    for height in (6, -6):
        header = read(bmp(rows, 8, bytes(1024), height=height))
        assert (header.height, header.width) == (6, 8)


def test_tiff_in_either_byte_order():
    for order in "<>":
        header = read(tiff(np.zeros((2, 3), np.uint16), order, t256=[70_000], t274=[6]))
        assert (header.height, header.width, header.bytes, header.orientation) == (2, 70_000, 2, 6)


def test_jpeg_with_a_thumbnail_before_its_own_header():
    data, thumbnail = encoded(".jpg", 60, 80), encoded(".jpg", 6, 8)
    extra = b"\xff\xff\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    header = read(data[:2] + extra + data[2:])
    assert (header.height, header.width) == (60, 80)


@pytest.mark.parametrize("order", ["<", ">"])
def test_jpeg_that_is_to_be_turned(order):
    block = b"Exif\0\0" + exif(8, order)
    data = encoded(".jpg", 60, 80)
    assert read(data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]).orientation == 8
