"""PNG: every chunk and the length of what is packed are checked first; the decoder sees only what makes the picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.files.picture_header import Flaw, Header, coloured, opencv
from spikecore.files.picture_tiff import orientation

MAGIC = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PALETTE = 3
_PIECE = 2**16
_PASSES = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
"""First row, step of rows, first column, step of columns of each pass of an interlaced picture."""


def png_header(data: bytes) -> Header:
    """Its size and kind; of what follows them only whether it is to be turned."""
    width, height, depth, colour, interlaced = _fields(data)
    if colour not in _CHANNELS or depth not in _DEPTHS[colour] or interlaced > 1:
        raise Flaw("a damaged picture: a PNG of an unknown kind")
    channels = 4 if colour in (_PALETTE, 4) else _CHANNELS[colour]
    turned = next((orientation(data[start:end]) for kind, start, end in _chunks(data, False) if kind == b"eXIf"), 1)
    return Header("PNG", height, width, channels, max(depth // 8, 1), turned)


def png_pixels(data: bytes) -> NDArray[Any]:
    """Its pixels, after its chunks were found whole: without a decoder's trust in lengths and sizes."""
    width, height, depth, colour, interlaced = _fields(data)
    found: dict[bytes, list[bytes]] = {}
    for kind, start, end in _chunks(data, True):
        found.setdefault(kind, []).append(data[start:end] if kind in (b"IDAT", b"PLTE", b"tRNS") else b"")
    if b"acTL" in found:
        raise Flaw("an animated PNG, which holds several pictures")
    if b"tRNS" in found and colour != _PALETTE:
        raise Flaw("a PNG with a transparent colour")
    packed = found.get(b"IDAT", [])
    _unpack(packed, _length(width, height, depth * _CHANNELS[colour], interlaced))
    kept = 0 if colour == _PALETTE else colour  # numbers of colours are decoded as if they were grey
    fields = struct.pack(">IIBBBBB", width, height, depth, kept, 0, 0, interlaced)
    pixels = opencv(b"".join([MAGIC, _chunk(b"IHDR", fields), *(_chunk(b"IDAT", part) for part in packed), _END]))
    if colour != _PALETTE:
        return pixels
    palette = _palette(found.get(b"PLTE", [b""])[0], found.get(b"tRNS", [b""])[0])
    return coloured(pixels // (255 // (2**depth - 1)), palette)


def _fields(data: bytes) -> tuple[int, ...]:
    if data[8:16] != b"\x00\x00\x00\rIHDR":
        raise Flaw("a damaged picture: a PNG that does not begin with its header")
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    return width, height, depth, colour, interlaced


def _chunks(data: bytes, check: bool) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk up to the last; with `check`, whole and unaltered or an error."""
    at, kind = len(MAGIC), b""
    while kind != b"IEND":
        if at + 12 > len(data):
            if check:
                raise Flaw("a PNG file whose end is missing")
            return
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        start, end = at + 8, at + 8 + length
        if check and end + 4 > len(data):
            raise Flaw(f"a PNG file whose end is missing, or damaged: {length} bytes of a chunk {kind!r}")
        if check and zlib.crc32(memoryview(data)[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise Flaw(f"a damaged picture: the checksum of its chunk {kind!r} is wrong")
        yield kind, start, end
        at = end + 4


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


_END = _chunk(b"IEND", b"")


def _length(width: int, height: int, bits: int, interlaced: int) -> int:
    """Bytes of the unpacked picture: one more than its pixels take in each row."""
    total = 0
    for top, down, left, right in _PASSES if interlaced else ((0, 1, 0, 1),):
        rows, columns = len(range(top, height, down)), len(range(left, width, right))
        total += rows * (1 + -(-columns * bits // 8)) if columns else 0
    return total


def _unpack(parts: list[bytes], length: int) -> None:
    """Unpack in pieces, only to see that it is as long as it must be and its checksum right."""
    unpacker, found = zlib.decompressobj(), 0
    for part in parts:
        for start in range(0, len(part), _PIECE):
            left = part[start : start + _PIECE]
            while found <= length:
                piece = unpacker.decompress(left, _PIECE)
                found, left = found + len(piece), unpacker.unconsumed_tail
                if len(piece) < _PIECE:
                    break
    if found != length or not unpacker.eof:
        raise Flaw("a damaged picture: its pixels are fewer or more than its size says")


def _palette(colours: bytes, opacity: bytes) -> NDArray[np.uint8]:
    """Blue, green and red of each colour, and how opaque it is where the file says so."""
    table = np.frombuffer(colours[: len(colours) // 3 * 3], np.uint8).reshape(-1, 3)[:, ::-1]
    if not opacity:
        return table
    opaque = np.full((len(table), 1), 255, np.uint8)
    opaque[: len(opacity), 0] = np.frombuffer(opacity, np.uint8)[: len(table)]
    return np.hstack([table, opaque])
