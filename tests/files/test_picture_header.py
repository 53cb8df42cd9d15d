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
from spikecore.files.picture_header import Header, read_header

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".bmp": "BMP", ".tiff": "TIFF"}


def read(data):
    return read_header(Path("a.png"), data, "a picture")


def encoded(suffix, height=6, width=8, channels=1):
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return cv2.imencode(suffix, pixels)[1].tobytes()


@given(
    suffix=st.sampled_from(sorted(FORMATS)),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    channels=st.sampled_from([1, 3]),
)
def test_size_of_what_opencv_writes(suffix, height, width, channels):
    assert read(encoded(suffix, height, width, channels)) == Header(FORMATS[suffix], height, width, True)


@given(st.binary(max_size=200), st.sampled_from([b"", *(encoded(suffix)[:30] for suffix in sorted(FORMATS))]))
def test_any_bytes_have_a_header_or_are_refused(data, start):
    with suppress(SpikeFormatError):
        assert read(start + data).format in FORMATS.values()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_a_missing_end_is_noticed(suffix):
    data = encoded(suffix, 40, 50)
    assert not read(data[: len(data) // 2]).whole


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_a_cut_header_is_refused(suffix):
    with pytest.raises(SpikeFormatError, match=r"header is cut or damaged|starts with"):
        read(encoded(suffix)[:17])


def test_bitmaps_stored_top_row_first():
    data = bytearray(encoded(".bmp"))
    data[22:26] = struct.pack("<i", -6)
    assert read(bytes(data)) == Header("BMP", 6, 8, True)


def test_tiff_in_either_byte_order():
    for mark, order in ((b"II*\x00", "<"), (b"MM\x00*", ">")):
        tags = struct.pack(f"{order}HHIHH", 256, 3, 1, 800, 0) + struct.pack(f"{order}HHII", 257, 4, 1, 70_000)
        data = mark + struct.pack(f"{order}IH", 8, 2) + tags
        assert read(data) == Header("TIFF", 70_000, 800, True)


def test_jpeg_with_a_thumbnail_before_its_own_header():
    data = encoded(".jpg", 60, 80)
    thumbnail = encoded(".jpg", 6, 8)
    extra = b"\xff\xff\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    assert read(data[:2] + extra + data[2:]) == Header("JPEG", 60, 80, True)
