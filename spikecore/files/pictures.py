"""Picture files: looked at before they are decoded, so that a small file cannot unfold to gigabytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError, SpikeFormatError
from spikecore.files.atomic import atomic
from spikecore.files.boundary import file_size, refusing
from spikecore.files.picture_header import Header, read_header
from spikecore.plugin.sink import Picture

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
"""How the names of pictures end that `read_pixels` and `read_image` read."""

_EXPECTED = "a picture: PNG, JPEG, BMP or TIFF"
_TRUTH = "a grey PNG picture of 8 or 16 bits"
_MAX_BYTES = 2**28
_MAX_PIXELS = 2**26
_WHITE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(np.float32): 1}
_GREY = np.array([0.114, 0.587, 0.299], np.float32)


def read_pixels(path: Path) -> NDArray[Any]:
    """Pixels as stored: uint8, uint16 or float32, (H, W) or (H, W, 3) in blue, green, red.

    Raises:
        SpikeFormatError: If it is no picture, not complete, too large, or holds values that are no numbers.
    """
    import cv2

    return _decoded(path, _EXPECTED, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)


def read_image(path: str | Path, size: Sequence[int] | None = None) -> Picture:
    """A grey picture (H, W) float32 in [0, 1]; colours are mixed to grey.

    Args:
        path: A PNG, JPEG, BMP or TIFF file of 8 or 16 bits, or of floating-point values in [0, 1].
        size: The height and width that it must have.

    Raises:
        SpikeFormatError: If it is missing, no complete picture, too large, of another size, or has values outside
            [0, 1].
    """
    import cv2

    pixels = _decoded(Path(path), _EXPECTED, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR, size)
    values = pixels.astype(np.float32) / np.float32(_WHITE[pixels.dtype])
    if values.min() < 0 or values.max() > 1:
        raise SpikeFormatError(path, f"intensities of {values.min():g}..{values.max():g}", expected="0..1")
    return values if values.ndim == 2 else np.clip(values @ _GREY, 0, 1)  # decoders round down when they mix colours


def read_truth(path: Path, size: Sequence[int]) -> NDArray[np.float32]:
    """A ground-truth picture, float32 (1, H, W) in [0, 1]: a grey PNG, which loses nothing, of the recording's size.

    Args:
        path: The file.
        size: Height and width of the recording.

    Raises:
        SpikeFormatError: If it is no complete grey PNG, or of another size than the recording.
    """
    import cv2

    pixels = _decoded(path, _TRUTH, cv2.IMREAD_UNCHANGED, size, format="PNG")
    if pixels.ndim != 2:
        raise SpikeFormatError(path, f"{pixels.shape[2]} values a pixel", expected=_TRUTH)
    return pixels[None].astype(np.float32) / np.float32(_WHITE[pixels.dtype])


def write_truth(picture: Picture, path: Path) -> Path:
    """Write intensities (H, W) in [0, 1] as a 16-bit grey PNG, atomically; the inverse of `read_truth`.

    Raises:
        OutputError: If it cannot be written.
    """
    import cv2

    done, data = cv2.imencode(".png", np.rint(np.clip(picture, 0, 1) * 65535).astype(np.uint16))
    if not done:
        raise OutputError(f"{path}: a picture of shape {picture.shape} could not be encoded as PNG")
    with atomic(path) as temporary:
        temporary.write_bytes(data.tobytes())
    return path


def _decoded(
    path: Path, expected: str, flags: int, size: Sequence[int] | None = None, format: str | None = None
) -> NDArray[Any]:
    import cv2

    length = file_size(path, expected)
    if length > _MAX_BYTES:
        raise SpikeFormatError(path, f"{length} bytes", expected=f"a picture of at most {_MAX_BYTES} bytes")
    with refusing(path, expected):
        data = path.read_bytes()
        _check_header(path, read_header(path, data, expected), expected, size, format)
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise SpikeFormatError(path, "a damaged picture", expected=expected)
    if pixels.dtype not in _WHITE:
        raise SpikeFormatError(path, f"{pixels.dtype} values", expected="8 or 16 bits, or 32-bit floating point")
    if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        raise SpikeFormatError(path, "values that are not finite (NaN or infinity)", expected="intensities of 0..1")
    if size is not None and pixels.shape[:2] != tuple(size):
        raise _other_size(path, pixels.shape, size)
    return np.asarray(pixels)


def _check_header(path: Path, header: Header, expected: str, size: Sequence[int] | None, format: str | None) -> None:
    """Refuse before decoding, which takes the memory that the header claims."""
    if format is not None and header.format != format:
        raise SpikeFormatError(path, f"a {header.format} picture", expected=expected)
    claimed = (header.height, header.width)
    if size is None and header.height * header.width > _MAX_PIXELS:
        raise SpikeFormatError(
            path, f"a picture of {header.height}x{header.width}", expected=f"at most {_MAX_PIXELS} pixels"
        )
    if size is not None and sorted(claimed) != sorted(size):  # the decoder may turn a photograph by a quarter
        raise _other_size(path, claimed, size)
    if not header.whole:
        raise SpikeFormatError(path, f"a {header.format} file whose end is missing", expected="a complete picture")


def _other_size(path: Path, found: Sequence[int], size: Sequence[int]) -> SpikeFormatError:
    wanted = f"{size[0]}x{size[1]} (height x width), as the recording"
    return SpikeFormatError(path, f"a picture of {found[0]}x{found[1]}", expected=wanted)
