"""JPEG: its segments are followed to its end first; the decoder sees only what makes the picture."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from spikecore.files.picture_header import Flaw, Header, opencv
from spikecore.files.picture_tiff import orientation

MAGIC = b"\xff\xd8\xff"
_START, _FRAME, _SCAN, _END = b"\xff\xd8", (0xC0, 0xC1, 0xC2), 0xDA, 0xD9
_TABLES = (0xC4, 0xDB, 0xDD, 0xEE)
"""Huffman codes, quantisation, restarts, and Adobe's word on how colours are stored."""
_EXIF = b"Exif\x00\x00"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FILL = re.compile(rb"(?:\xff+(?=\xff))?")
"""A marker may be filled up from the left."""
_SCANS = 50
"""More than any program writes: each takes the decoder over the whole picture once more."""


def jpeg_header(data: bytes) -> Header:
    """Its size, kind and orientation, from the segments before its pixels."""
    turned = 1
    for code, start, end in _segments(data):
        if code == 0xE1 and data.startswith(_EXIF, start):
            turned = orientation(data[start + len(_EXIF) : end])
        elif 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            bits, height, width, channels = struct.unpack_from(">BHHB", data, start)
            if code not in _FRAME or bits != 8:
                raise Flaw(f"a JPEG of {bits} bits or an unusual coding (SOF{code - 0xC0})")
            if channels not in (1, 3):
                raise Flaw("a JPEG in CMYK" if channels == 4 else f"a JPEG of {channels} values a pixel")
            return Header("JPEG", height, width, channels, 1, turned)
        elif code in (_SCAN, _END):
            break
    raise Flaw("a picture whose header is cut or damaged: a JPEG without a frame")


def jpeg_pixels(data: bytes) -> NDArray[Any]:
    """Its pixels as coded, not turned, after its end was found."""
    kept, scans = [_START], 0
    for code, start, end in _segments(data):
        if code in (*_FRAME, *_TABLES, _SCAN):
            kept.append(data[start - 4 : end])
        scans += code == _SCAN
    if not 0 < scans <= _SCANS:
        raise Flaw(f"a JPEG of {scans} scans; a picture has 1 to {_SCANS}")
    return opencv(b"".join([*kept, bytes([0xFF, _END])]))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Code, start and end of each segment, coded pixels belonging to their scan; up to the mark of the end."""
    at = len(_START)
    while True:
        at = _FILL.match(data, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        if at + 2 > len(data):
            raise Flaw("a JPEG file whose end is missing")
        if data[at] != 0xFF:
            raise Flaw("a damaged picture: no marker where a JPEG must have one")
        code = data[at + 1]
        if code == _END:
            return
        start, end = at + 4, at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if code == _SCAN:
            mark = _MARKER.search(data, end)
            end = mark.start() if mark else len(data)
        if end < start or end > len(data):
            raise Flaw("a JPEG file whose end is missing, or damaged")
        yield code, start, end
        at = end
