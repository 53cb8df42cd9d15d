"""What is known of a picture file before it is decoded, and how a flaw in it is told."""

from __future__ import annotations

from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

Format = Literal["PNG", "JPEG", "BMP", "TIFF", "HDR"]


class Flaw(Exception):
    """Why a picture is not read, in words that complete "FILE: …"."""


@attrs.frozen
class Header:
    """What a picture file says of itself; as much memory as that is taken when it is decoded.

    Args:
        format: Its file format.
        height: Rows as stored.
        width: Columns as stored.
        channels: Values a pixel, one that says how opaque it is included.
        bytes: Of each value.
        orientation: How it is to be turned to be looked at, 1..8 as Exif counts; 1: as stored.
    """

    format: Format
    height: int
    width: int
    channels: int = 1
    bytes: int = 1
    orientation: int = 1


def opencv(data: bytes) -> NDArray[Any]:
    """What OpenCV decodes, values as stored: (H, W), (H, W, 3) in blue, green, red, or (H, W, 4) with opacity."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise Flaw("a damaged picture")
    return np.asarray(pixels)


def coloured(numbers: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) or (H, W, 4) from numbers of the colours in a table; (H, W) where all of these are grey."""
    if not len(table) or numbers.max(initial=0) >= len(table):
        raise Flaw(f"a damaged picture: {len(table)} colours in its palette, {numbers.max(initial=0) + 1} used")
    if table.shape[1] == 3 and (table == table[:, :1]).all():
        table = table[:, 0]
    return np.asarray(table[numbers])
