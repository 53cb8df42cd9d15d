"""Ground-truth pictures: grey PNG files, looked at before they are decoded."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeFormatError
from spikecore_plugin_vidar.boundary import file_size, refusing

_EXPECTED = "a grey PNG picture"
_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_END = b"IEND\xaeB`\x82"
_MAX_BYTES = 2**28


def read_picture(path: Path, height: int, width: int) -> NDArray[np.float32]:
    """Read a PNG of 8 or 16 bits as float32 (1, height, width) in [0, 1].

    The size in its header is compared before decoding, so a small file cannot unfold to gigabytes.

    Raises:
        SpikeFormatError: If it is no complete grey PNG, or of another size than the recording.
    """
    size = file_size(path, _EXPECTED)
    if size > _MAX_BYTES:
        raise SpikeFormatError(path, f"{size} bytes", expected=f"a picture of at most {_MAX_BYTES} bytes")
    with refusing(path, _EXPECTED):
        data = path.read_bytes()
        if not data.startswith(_START) or not data.endswith(_END):
            raise SpikeFormatError(path, "not a complete PNG file", expected=_EXPECTED)
        columns, rows = struct.unpack_from(">II", data, len(_START))
        if (rows, columns) != (height, width):
            found = f"a picture of {rows}x{columns}"
            raise SpikeFormatError(path, found, expected=f"{height}x{width} (height x width), as the recording has")
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise SpikeFormatError(path, "a damaged PNG file", expected=_EXPECTED)
    if pixels.shape != (height, width) or pixels.dtype not in (np.uint8, np.uint16):
        raise SpikeFormatError(path, f"{pixels.dtype} values of shape {pixels.shape}", expected=_EXPECTED)
    largest = np.float32(255 if pixels.dtype == np.uint8 else 65535)
    return pixels[None].astype(np.float32) / largest
