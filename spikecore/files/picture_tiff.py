"""TIFF: one picture of grey or RGB, in strips or tiles, not compressed or by Deflate, LZW or PackBits.

Decoded here: the decoders at hand fill what is damaged or missing with black, and leave out what they do not know.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.files.picture_header import Flaw, Header
from spikecore.files.picture_packing import deflate, lzw, packbits, plain

MAGIC = {b"II*\x00": "<", b"MM\x00*": ">"}
_LETTERS = {3: "H", 4: "I"}
_READ = {256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 322, 323, 324, 325, 339}
"""The tags that matter; of others, claims are not looked at."""
_UNPACK = {1: plain, 5: lzw, 8: deflate, 32946: deflate, 32773: packbits}
_PREDICTED = (5, 8, 32946)
"""Compressions for which the tag of a predictor counts."""
_KINDS = {1: "unsigned", 2: "signed", 3: "floating-point", 4: "untyped", 5: "complex", 6: "complex"}
_TYPES = {("unsigned", 1): "u1", ("unsigned", 8): "u1", ("unsigned", 16): "u2"}
_TYPES |= {("floating-point", 32): "f4", ("floating-point", 64): "f8"}
_COLOURS = {0: 1, 1: 1, 2: 3}
_NAMES = {3: "colours of a palette", 4: "a mask", 5: "CMYK", 6: "YCbCr", 8: "CIE Lab"}
_LARGEST_TILE = 2**26


@attrs.frozen
class _Directory:
    """What the directory of the first picture says, in the terms of the format."""

    order: str
    tags: dict[int, tuple[int, ...]]
    following: int

    def one(self, tag: int, default: int | None = None) -> int:
        """A value that must be there unless it has a default; of several, which must be equal."""
        values = set(self.tags.get(tag, () if default is None else (default,)))
        if len(values) != 1:
            raise Flaw(f"a damaged picture: a TIFF whose tag {tag} is missing or has several values")
        return int(values.pop())


def orientation(data: bytes) -> int:
    """How a picture is to be turned, 1..8, by an Exif block; 1 where it does not say."""
    with suppress(Flaw, struct.error, KeyError):
        said = _directory(data).one(274, 1)
        return said if 1 <= said <= 8 else 1
    return 1


def tiff_header(data: bytes) -> Header:
    """Its size and kind, from its only directory."""
    directory = _directory(data)
    if directory.following:
        raise Flaw("a TIFF of several pages")
    samples, dtype = directory.one(277, 1), _dtype(directory)
    height, width = directory.one(257), directory.one(256)
    return Header("TIFF", height, width, samples, dtype.itemsize, orientation(data))


def tiff_pixels(data: bytes) -> NDArray[Any]:
    """Its pixels as stored, not turned: uint8, uint16, float32 or float64."""
    directory = _directory(data)
    samples, photometric = directory.one(277, 1), directory.one(262)
    if samples not in (_COLOURS[photometric], _COLOURS[photometric] + 1):
        raise Flaw(f"a TIFF of {samples} values a pixel")
    dtype = _dtype(directory)
    pixels = np.empty((directory.one(257), directory.one(256), samples), dtype.newbyteorder("="))
    for target, part in _blocks(data, directory, pixels):
        target[...] = part[: target.shape[0], : target.shape[1]]
    if directory.one(258, 1) == 1:
        pixels *= 255
    if photometric == 0:
        if dtype.kind == "f":
            raise Flaw("a TIFF of floating-point values in which 0 is white")
        pixels = ~pixels
    if samples == 1:
        return pixels[..., 0]
    if samples == 2:
        return pixels[..., [0, 0, 0, 1]]
    return pixels[..., [2, 1, 0, 3][:samples]]


def _directory(data: bytes) -> _Directory:
    order = MAGIC[data[:4]]
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", data, entry)
        if kind not in _LETTERS or tag not in _READ:
            continue
        size = number * struct.calcsize(_LETTERS[kind])
        start = entry + 8 if size <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
        if start + size > len(data) or tag in tags:
            raise Flaw(f"a picture whose header is cut or damaged: tag {tag} of a TIFF")
        tags[tag] = struct.unpack_from(f"{order}{number}{_LETTERS[kind]}", data, start)
    return _Directory(order, tags, *struct.unpack_from(order + "I", data, at + 2 + 12 * count))


def _dtype(directory: _Directory) -> np.dtype[Any]:
    """How values are stored.

    Raises:
        Flaw: If they, or what they mean, are not read here.
    """
    bits, photometric = directory.one(258, 1), directory.one(262)
    kind = _KINDS.get(directory.one(339, 1), "unknown")
    if photometric not in _COLOURS:
        raise Flaw(f"a TIFF in {_NAMES.get(photometric, f'colours of kind {photometric}')}")
    if (kind, bits) not in _TYPES or (bits == 1 and directory.one(277, 1) != 1):
        raise Flaw(f"a TIFF of {kind} values of {bits} bits")
    if directory.one(259, 1) not in _UNPACK or directory.one(266, 1) != 1:
        raise Flaw(f"a TIFF compressed in a way that is not read here ({directory.one(259, 1)})")
    return np.dtype(directory.order + _TYPES[kind, bits])


def _blocks(data: bytes, directory: _Directory, pixels: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Each part of `pixels` and what belongs there, from the upper left; a tile may be larger than its part."""
    height, width, samples = pixels.shape
    apart = directory.one(284, 1) == 2 and samples > 1
    tiled = 322 in directory.tags
    rows = directory.one(323) if tiled else min(directory.one(278, 2**32 - 1), height)
    columns = directory.one(322) if tiled else width
    bits = directory.one(258, 1) * (1 if apart else samples)
    if not rows or not columns or (tiled and rows * columns * bits > 8 * _LARGEST_TILE):
        raise Flaw(f"a damaged picture: a TIFF in parts of {rows}x{columns}")
    starts, sizes = directory.tags[324 if tiled else 273], directory.tags[325 if tiled else 279]
    planes, tops, lefts = range(samples if apart else 1), range(0, height, rows), range(0, width, columns)
    count = len(planes) * len(tops) * len(lefts)
    if not len(starts) == len(sizes) == count or sum(sizes) > len(data):
        raise Flaw("a damaged picture: a TIFF whose parts are not what its size says")
    unpack, predicted = _UNPACK[directory.one(259, 1)], directory.one(259, 1) in _PREDICTED
    dtype, predictor = _dtype(directory), directory.one(317, 1) if predicted else 1
    whole = directory.one(258, 1) >= 8
    for (plane, top, left), start, size in zip(product(planes, tops, lefts), starts, sizes, strict=True):
        if start + size > len(data):
            raise Flaw("a TIFF file whose end is missing")
        target = pixels[top : top + rows, left : left + columns, plane if apart else slice(None)]
        target = target[..., None] if apart else target
        shape = (rows if tiled else target.shape[0], columns, target.shape[2])
        length = shape[0] * -(-columns * bits // 8)
        raw = np.frombuffer(unpack(memoryview(data)[start : start + size], length), np.uint8)
        if whole:
            yield target, _values(raw, shape, dtype, predictor)
        else:
            yield target, np.unpackbits(raw.reshape(shape[0], -1), axis=1)[:, :columns, None]


def _values(stored: NDArray[np.uint8], shape: tuple[int, ...], dtype: np.dtype[Any], predictor: int) -> NDArray[Any]:
    """The values of a part (rows, columns, samples): differences of neighbours summed up, if those are stored."""
    rows, columns, samples = shape
    if predictor == 3 and dtype.kind == "f":  # bytes of equal weight are stored together, the highest first
        summed = np.cumsum(stored.reshape(rows, -1, samples), axis=1, dtype=np.uint8)
        apart = summed.reshape(rows, dtype.itemsize, columns * samples).swapaxes(1, 2)
        return np.ascontiguousarray(apart).view(dtype.newbyteorder(">")).reshape(shape)
    values = stored.view(dtype).reshape(shape)
    if predictor == 1:
        return values
    if predictor != 2:
        raise Flaw(f"a TIFF of {dtype.name} values with predictor {predictor}")
    whole = np.dtype(f"u{dtype.itemsize}")  # differences are of whole numbers, also between floating-point values
    return np.cumsum(values.astype(values.dtype.newbyteorder("=")).view(whole), axis=1, dtype=whole).view(dtype.type)
