"""How TIFF files pack bytes: each function unpacks the first `length`, and raises `Flaw` where there are fewer."""

from __future__ import annotations

import zlib

from spikecore.files.picture_header import Flaw

_CLEAR, _END, _CODES = 256, 257, 4096


def plain(packed: memoryview, length: int) -> bytes:
    """Not compressed."""
    return _whole(bytes(packed[:length]), length)


def deflate(packed: memoryview, length: int) -> bytes:
    """zlib, with its checksum."""
    unpacker = zlib.decompressobj()
    found = unpacker.decompress(packed, length + 1)
    if len(found) == length and not unpacker.eof:
        raise Flaw("a damaged picture: a TIFF whose packed pixels do not end where they should")
    return _whole(found, length)


def packbits(packed: memoryview, length: int) -> bytes:
    """Runs: a count n < 128 before n + 1 bytes as they are, n > 128 before one byte that comes 257 - n times."""
    data, at, found = bytes(packed), 0, bytearray()
    while len(found) < length and at < len(data):
        count = data[at]
        if count < 128:
            found += data[at + 1 : at + 2 + count]
            at += count + 2
        else:
            found += data[at + 1 : at + 2] * (257 - count if count > 128 else 0)
            at += 2 if count > 128 else 1
    return _whole(bytes(found), length)


def lzw(packed: memoryview, length: int) -> bytes:
    """LZW as TIFF has it: codes of 9 to 12 bits, highest first, which grow one code early."""
    table = [bytes([value]) for value in range(256)] + [b"", b""]
    parts: list[bytes] = []
    bits, count, width, total, before = 0, 0, 9, 0, b""
    for byte in bytes(packed):
        bits, count = bits << 8 | byte, count + 8
        if count < width:
            continue
        count -= width
        code, bits = bits >> count, bits & ((1 << count) - 1)
        if code == _CLEAR:
            del table[258:]
            width, before = 9, b""
            continue
        if code == _END or total >= length:
            break
        if code > len(table) or (code >= 256 and not before):
            raise Flaw("a damaged picture: a code of LZW that stands for nothing")
        text = table[code] if code < len(table) else before + before[:1]
        if before and len(table) < _CODES:
            table.append(before + text[:1])
            width = max(width, min((len(table) + 1).bit_length(), 12))
        parts.append(text)
        total += len(text)
        before = text
    return _whole(b"".join(parts), length)


def _whole(found: bytes, length: int) -> bytes:
    if len(found) < length:
        raise Flaw("a damaged picture: a TIFF of fewer pixels than its size says")
    return found[:length]
