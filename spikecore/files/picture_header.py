"""What the header of a picture file claims, read without a decoder: its format and size, and if its end is there."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Literal

import attrs

from spikecore.errors import SpikeFormatError

Format = Literal["PNG", "JPEG", "BMP", "TIFF"]

_PNG, _JPEG, _BMP = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"\xff\xd8\xff", b"BM"
_PNG_END = b"IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"
_TIFF = {b"II*\x00": "<", b"MM\x00*": ">"}


@attrs.frozen
class Header:
    """What a picture file says of itself.

    Args:
        format: Its file format.
        height: Rows.
        width: Columns.
        whole: False if the end of the file is missing, as far as the format can tell.
    """

    format: Format
    height: int
    width: int
    whole: bool


def read_header(path: Path, data: bytes, expected: str) -> Header:
    """Read the header of a picture file.

    Args:
        path: Named in messages.
        data: The whole file.
        expected: What it should be, for messages.

    Raises:
        SpikeFormatError: If it is no PNG, JPEG, BMP or TIFF, or its header is cut.
    """
    try:
        header = _read(data)
    except (struct.error, IndexError, KeyError) as error:
        raise SpikeFormatError(path, "a picture whose header is cut or damaged", expected=expected) from error
    if header is None:
        raise SpikeFormatError(path, f"it starts with {data[:8]!r}, which no picture does", expected=expected)
    return header


def _read(data: bytes) -> Header | None:
    if data.startswith(_PNG):
        width, height = struct.unpack_from(">II", data, len(_PNG))
        return Header("PNG", height, width, data.endswith(_PNG_END))
    if data.startswith(_JPEG):
        return Header("JPEG", *_jpeg_size(data), whole=_JPEG_END in data[-1024:])
    if data.startswith(_BMP):
        width, height = struct.unpack_from("<ii", data, 18)
        return Header("BMP", abs(height), abs(width), len(data) >= struct.unpack_from("<I", data, 2)[0])
    if data[:4] in _TIFF:
        return Header("TIFF", *_tiff_size(data, _TIFF[data[:4]]), whole=True)
    return None


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """From the first frame header (SOF0..SOF15 without the three codes in between that mean something else)."""
    at = 2
    while data[at] == 0xFF:
        code, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if code == 0xFF:  # a marker may be filled up from the left
            at += 1
            continue
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return height, width
        at += 2 + length
    raise IndexError("a JPEG file without a frame header")


def _tiff_size(data: bytes, order: str) -> tuple[int, int]:
    """From tags 257 (height) and 256 (width), of 16 or 32 bits, in the first directory."""
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    found = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in (256, 257):
            found[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)[0]
    return found[257], found[256]
