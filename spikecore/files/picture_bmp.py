"""BMP: uncompressed bitmaps of 1, 4, 8, 24 and 32 bits a pixel."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.files.picture_header import Flaw, Header, coloured

MAGIC = b"BM"
_FILE = 14
_MASKED = 3
_MASKS = (0xFF0000, 0xFF00, 0xFF)


def bmp_header(data: bytes) -> Header:
    """Its size and kind; a height below 0 says that the top row comes first."""
    length, width, height, _, bits, coding = struct.unpack_from("<IiiHHI", data, _FILE)
    if length < 40 or width <= 0:
        raise Flaw("a damaged picture, or a BMP of OS/2")
    if bits not in (1, 4, 8, 24, 32) or coding not in (0, _MASKED) or (coding == _MASKED) > (bits == 32):
        raise Flaw(f"a BMP of {bits} bits a pixel, coding {coding}")
    if coding == _MASKED and struct.unpack_from("<III", data, _FILE + 40) != _MASKS:
        raise Flaw("a BMP that stores colours in another order than blue, green, red")
    return Header("BMP", abs(height), width, {24: 3, 32: 4}.get(bits, 3))


def bmp_pixels(data: bytes) -> NDArray[Any]:
    """Its pixels, top row first."""
    (start,) = struct.unpack_from("<I", data, 10)
    length, width, height, _, bits = struct.unpack_from("<IiiHH", data, _FILE)
    stride = (width * bits + 31) // 32 * 4
    if start < _FILE + length or start + stride * abs(height) > len(data):
        raise Flaw("a BMP file whose end is missing, or damaged")
    rows = np.frombuffer(data, np.uint8, stride * abs(height), start).reshape(-1, stride)
    rows = rows if height < 0 else rows[::-1]
    if bits <= 8:
        return coloured(_numbers(rows, bits)[:, :width], _palette(data, start))
    pixels = rows[:, : width * bits // 8].reshape(abs(height), width, bits // 8)
    if bits == 32 and not pixels[..., 3].any():  # not used
        return pixels[..., :3]
    return pixels


def _numbers(rows: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Numbers of colours, unpacked from bytes, the highest bits leftmost."""
    if bits == 8:
        return rows
    if bits == 1:
        return np.unpackbits(rows, axis=1)
    return np.stack([rows >> 4, rows & 15], axis=-1).reshape(len(rows), -1)


def _palette(data: bytes, end: int) -> NDArray[np.uint8]:
    """Blue, green and red of each colour, which lie before the pixels."""
    length, stated = struct.unpack_from("<I", data, _FILE)[0], struct.unpack_from("<I", data, _FILE + 32)[0]
    stored = data[_FILE + length : end]
    return np.frombuffer(stored[: len(stored) // 4 * 4], np.uint8).reshape(-1, 4)[: stated or None, :3]
