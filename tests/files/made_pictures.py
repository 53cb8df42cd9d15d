"""Pictures made byte by byte, as no encoder at hand would make them."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def chunk(kind, content):
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png(values, depth=8, colour=0, before=b"", pixels=None, size=None):
    """Rows of bytes (H, bytes a row), of a colour type and depth; `before`: chunks before the pixels."""
    height, width = size or values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in values) if pixels is None else pixels
    parts = [chunk(b"IHDR", header), before, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(values, order="<", pixels=None, **tags):
    """One strip of `values` (H, W) or (H, W, samples); tags by number as t258=[8], which go before those that fit."""
    height, width = values.shape[:2]
    samples = 1 if values.ndim == 2 else values.shape[2]
    data = values.astype(values.dtype.newbyteorder(order)).tobytes() if pixels is None else pixels
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    entries = {256: [width], 257: [height], 258: [values.dtype.itemsize * 8] * samples, 259: [1]}
    entries |= {262: [2 if samples > 2 else 1], 273: [8], 277: [samples], 278: [height], 279: [len(data)]}
    entries |= {284: [1], 339: [kind] * samples, **{int(name[1:]): given for name, given in tags.items()}}
    start = 8 + len(data)
    head, tail = struct.pack(order + "H", len(entries)), b""
    for tag, given in sorted(entries.items()):
        content = struct.pack(f"{order}{len(given)}I", *given)
        if len(given) > 1:
            at = start + 2 + 12 * len(entries) + 4 + len(tail)
            content, tail = struct.pack(order + "I", at), tail + content
        head += struct.pack(order + "HHI", tag, 4, len(given)) + content
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "I", start) + data + head + bytes(4) + tail


def bmp(values, bits, palette=b"", height=None, coding=0):
    """Rows of bytes (H, bytes a row), top row first, of so many bits a pixel; `palette`: 4 bytes a colour."""
    rows, stride = values.shape
    padded = np.pad(values, ((0, 0), (0, -stride % 4)))
    width, start = stride * 8 // bits, 54 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, width, height or -rows, 1, bits, coding, padded.size, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + padded.size, 0, 0, start) + info + palette + padded.tobytes()


def exif(orientation, order="<"):
    """An Exif block that says how a picture is to be turned."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
