"""Picture files: looked at before they are decoded, so that a small file cannot unfold to gigabytes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore import OutputError, SpikeFormatError
from spikecore.output import atomic
from spikecore_plugin_simulate.boundary import first_bytes, refusing

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")

_EXPECTED = "a picture: PNG, JPEG, BMP or TIFF"
_MAX_PIXELS = 2**26
_PNG, _JPEG, _BMP = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"\xff\xd8\xff", b"BM"
_TIFF = {b"II*\x00": "<", b"MM\x00*": ">"}


def read_picture(path: Path) -> NDArray[Any]:
    """Pixels as stored: uint8, uint16 or float32, (height, width) or (height, width, 3) in blue, green, red.

    Raises:
        SpikeFormatError: If it is no picture, not complete, too large, or holds values that are no numbers.
    """
    start = first_bytes(path, _EXPECTED)
    with refusing(path, _EXPECTED):
        data = path.read_bytes()
        width, height = _size(data)
        if width * height > _MAX_PIXELS:
            found = f"a picture of {height}x{width}"
            raise SpikeFormatError(path, found, expected=f"at most {_MAX_PIXELS} pixels")
        if _is_cut(data):
            raise SpikeFormatError(path, "its end is missing", expected="a complete picture")
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
    if pixels is None:
        raise SpikeFormatError(path, "a damaged picture, or none", expected=f"{_EXPECTED} (starts with {start[:4]!r})")
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise SpikeFormatError(path, f"{pixels.dtype} values", expected="8 or 16 bits, or 32-bit floating point")
    if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        raise SpikeFormatError(path, "values that are not finite (NaN or infinity)", expected="intensities of 0..1")
    return np.asarray(pixels)


def _size(data: bytes) -> tuple[int, int]:
    """Width and height that the header claims."""
    if data.startswith(_PNG):
        return struct.unpack_from(">II", data, len(_PNG))
    if data.startswith(_JPEG):
        return _jpeg_size(data)
    if data.startswith(_BMP):
        width, height = struct.unpack_from("<ii", data, 18)
        return abs(width), abs(height)
    if data[:4] in _TIFF:
        return _tiff_size(data, _TIFF[data[:4]])
    raise ValueError(f"starts with {data[:4]!r}, which no picture does")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """From the first frame header (SOF0..SOF15 without the three codes in between that mean something else)."""
    at = 2
    while data[at] == 0xFF:
        code, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    raise ValueError("a JPEG file without a frame header")


def _tiff_size(data: bytes, order: str) -> tuple[int, int]:
    """From tags 256 (width) and 257 (height), of 16 or 32 bits, in the first directory."""
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    found = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in (256, 257):
            found[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)[0]
    return found[256], found[257]


def _is_cut(data: bytes) -> bool:
    """Decoders fill up the missing part of PNG, JPEG and BMP files without a word."""
    if data.startswith(_PNG):
        return not data.endswith(b"IEND\xaeB`\x82")
    if data.startswith(_JPEG):
        return b"\xff\xd9" not in data[-1024:]
    return bool(data.startswith(_BMP) and len(data) < struct.unpack_from("<I", data, 2)[0])


def write_picture(path: Path, image: NDArray[np.float32]) -> None:
    """Write intensities (height, width) in [0, 1] as a 16-bit grey PNG, atomically."""
    levels = np.round(np.clip(image, 0, 1) * 65535).astype(np.uint16)
    with atomic(path) as temporary:
        if not cv2.imwrite(str(temporary), levels):
            raise OutputError(f"{path} could not be written as a PNG picture")
