"""Radiance HDR: floating-point colours with a common exponent."""

from __future__ import annotations

import re
from typing import Any

from numpy.typing import NDArray

from spikecore.files.picture_header import Flaw, Header, opencv

MAGIC = (b"#?RADIANCE\n", b"#?RGBE\n")
_LONGEST = 2**14
_SIZE = re.compile(rb"-Y (\d{1,6}) \+X (\d{1,6})\n")
_FORMAT = b"FORMAT=32-bit_rle_rgbe"
_FACTOR = re.compile(rb"(?:EXPOSURE|COLORCORR)\s*=(.*)")


def hdr_header(data: bytes) -> Header:
    """Its size, from the lines of text that it begins with."""
    text, gap, _ = data[:_LONGEST].partition(b"\n\n")
    lines = text.split(b"\n")
    size = _SIZE.match(data, len(text) + len(gap))
    if not gap or not size:
        raise Flaw("a Radiance HDR whose header is cut or damaged, or whose rows are not stored top row first")
    if _FORMAT not in lines:
        raise Flaw(f"a Radiance HDR without the line {_FORMAT.decode()}")
    factors = [match[1] for line in lines if (match := _FACTOR.match(line))]
    if any(word not in (b"1", b"1.0", b"1.000000") for factor in factors for word in factor.split()):
        raise Flaw("a Radiance HDR whose values are multiplied by an exposure or a colour correction")
    return Header("HDR", int(size[1]), int(size[2]), 3, 4)


def hdr_pixels(data: bytes) -> NDArray[Any]:
    """Its pixels, float32 (H, W, 3) in blue, green, red."""
    return opencv(data)
