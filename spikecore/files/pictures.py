"""Picture files: looked at before they are decoded, so that a small file cannot unfold to gigabytes.

One rule for all: values are taken as stored. 8 bits are divided by 255, 16 bits by 65535, floating-point values are
intensities already. Display curves, colour profiles and texts are left out of account.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError, SpikeFormatError
from spikecore.files import picture_bmp, picture_hdr, picture_jpeg, picture_png, picture_tiff
from spikecore.files.atomic import atomic
from spikecore.files.boundary import file_size, refusing
from spikecore.files.picture_header import Flaw, Format, Header
from spikecore.plugin.sink import Picture

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".hdr")
"""How the names of pictures end that `read_pixels` and `read_image` read."""

_EXPECTED = "a picture of grey or RGB: PNG, JPEG, BMP, TIFF or Radiance HDR"
_HINT = "save it as PNG, of 8 or 16 bits, grey or RGB"
_MAX_BYTES = 2**28
_MAX_UNFOLDED = 2**27
_WHITE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(np.float32): 1}
_ROWS = 64
_HEADERS: dict[bytes, Callable[[bytes], Header]] = {
    picture_png.MAGIC: picture_png.png_header,
    picture_jpeg.MAGIC: picture_jpeg.jpeg_header,
    picture_bmp.MAGIC: picture_bmp.bmp_header,
    **dict.fromkeys(picture_tiff.MAGIC, picture_tiff.tiff_header),
    **dict.fromkeys(picture_hdr.MAGIC, picture_hdr.hdr_header),
}
_PIXELS: dict[Format, Callable[[bytes], NDArray[Any]]] = {
    "PNG": picture_png.png_pixels,
    "JPEG": picture_jpeg.jpeg_pixels,
    "BMP": picture_bmp.bmp_pixels,
    "TIFF": picture_tiff.tiff_pixels,
    "HDR": picture_hdr.hdr_pixels,
}
_OTHERS = {
    b"v/1\x01": "an OpenEXR picture",
    b"GIF8": "a GIF picture",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"8BPS": "a Photoshop document",
    b"II+\x00": "a BigTIFF picture",
    b"MM\x00+": "a BigTIFF picture",
    **{b"P%d" % number: "a PBM, PGM or PPM picture" for number in range(1, 8)},
    b"PF": "a PFM picture",
    b"Pf": "a PFM picture",
    b"RIFF": "a RIFF file, as WebP pictures are",
    **{bytes([0, 0, 0, length]) + b"ftyp": "a HEIF or AVIF picture" for length in range(16, 64, 4)},
}


def read_pixels(path: Path) -> NDArray[Any]:
    """Pixels as stored, turned as Exif says: uint8, uint16 or float32, (H, W) or (H, W, 3) in blue, green, red.

    Raises:
        SpikeFormatError: If it is no picture, not whole, too large, in parts transparent, or holds values that are no
            numbers.
    """
    header, pixels = _decoded(path, None)
    return _turned(pixels, header.orientation)


def read_image(path: str | Path, size: Sequence[int] | None = None) -> Picture:
    """A grey picture (H, W) float32 in [0, 1], as all ground truth is read.

    8 bits are divided by 255, 16 bits by 65535, floating-point values taken as they are. Colours become grey by Rec.
    601 (0.299 R + 0.587 G + 0.114 B) after that, so that three equal channels are exactly the one. JPEG is read, too,
    but is not what was saved.

    Args:
        path: A PNG, JPEG, BMP, TIFF or Radiance HDR file.
        size: The height and width that it must have.

    Raises:
        SpikeFormatError: If it is missing, no whole picture, too large, of another size, in parts transparent, to be
            turned before it is looked at, or has values outside [0, 1].
    """
    header, pixels = _decoded(Path(path), size)
    if header.orientation != 1:
        found = f"a picture that is to be turned before it is looked at (Exif orientation {header.orientation})"
        hint = "save it as it is to be seen, without that: magick IN -auto-orient OUT.png"
        raise SpikeFormatError(path, found, expected="pixels in the recording's order", hint=hint)
    low, high = pixels.min(), pixels.max()
    if low < 0 or high > _WHITE[pixels.dtype]:
        hint = "floating-point pictures are taken as they are; divide by the value of white, and save it again"
        raise SpikeFormatError(path, f"intensities of {low:g}..{high:g}", expected="0..1", hint=hint)
    return _grey(pixels)


def write_truth(picture: Picture, path: Path) -> Path:
    """Write intensities (H, W) in [0, 1] as a 16-bit grey PNG, atomically; the inverse of `read_image`.

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


def read_header(path: Path, data: bytes) -> Header:
    """What a picture file says of itself, its pixels not touched.

    Raises:
        SpikeFormatError: If it is no picture that is read here, or its header is cut.
    """
    try:
        for magic, read in _HEADERS.items():
            if data.startswith(magic):
                return read(data)
    except Flaw as flaw:
        raise SpikeFormatError(path, str(flaw), expected=_EXPECTED, hint=_HINT) from None
    except (struct.error, IndexError, KeyError) as error:
        raise SpikeFormatError(path, "a picture whose header is cut or damaged", expected=_EXPECTED) from error
    start = f"it starts with {data[:8]!r}, which no picture does"
    found = next((name for magic, name in _OTHERS.items() if data.startswith(magic)), start)
    raise SpikeFormatError(path, found, expected=_EXPECTED, hint=_HINT)


def _decoded(path: Path, size: Sequence[int] | None) -> tuple[Header, NDArray[Any]]:
    length = file_size(path, _EXPECTED)
    if length > _MAX_BYTES:
        raise SpikeFormatError(path, f"{length} bytes", expected=f"a picture of at most {_MAX_BYTES} bytes")
    with refusing(path, _EXPECTED):
        data = path.read_bytes()
        header = read_header(path, data)
        _check_size(path, header, size)
        try:
            pixels = _opaque(_PIXELS[header.format](data))
        except Flaw as flaw:
            raise SpikeFormatError(path, str(flaw), expected=_EXPECTED, hint=_HINT) from None
        except (struct.error, IndexError, KeyError, zlib.error) as error:
            raise SpikeFormatError(path, "a damaged picture", expected=_EXPECTED) from error
    if pixels.shape[:2] != (header.height, header.width):
        raise SpikeFormatError(path, "a damaged picture, of another size than it says", expected=_EXPECTED)
    if pixels.dtype.kind == "f":
        if not (np.isfinite(pixels.min()) and np.isfinite(pixels.max())):
            raise SpikeFormatError(path, "values that are not finite (NaN or infinity)", expected="intensities of 0..1")
        pixels = pixels.astype(np.float32, copy=False)
    return header, pixels


def _check_size(path: Path, header: Header, size: Sequence[int] | None) -> None:
    """Refuse before decoding, which takes the memory that the header claims."""
    claimed = f"a picture of {header.height}x{header.width}"
    if size is not None and (header.height, header.width) != tuple(size):
        wanted = f"{size[0]}x{size[1]} (height x width), as the recording"
        raise SpikeFormatError(path, claimed, expected=wanted)
    pixels = header.height * header.width
    if not 0 < pixels * max(header.channels * header.bytes, 4) <= _MAX_UNFOLDED:
        raise SpikeFormatError(path, claimed, expected=f"at least one pixel, and at most {_MAX_UNFOLDED} bytes of them")


def _opaque(pixels: NDArray[Any]) -> NDArray[Any]:
    """Without the fourth value of each pixel, which must say that nothing is transparent."""
    if pixels.ndim < 3 or pixels.shape[2] < 4:
        return pixels
    if (pixels[..., 3] != _WHITE.get(pixels.dtype, 1)).any():
        raise Flaw("a picture that is transparent in parts (alpha); what lies behind it is not known")
    return pixels[..., :3]


def _turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """As it is to be looked at: Exif's orientations 5 to 8 are seen along their columns, and then turned over."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    down = -1 if orientation in (3, 4, 7, 8) else 1
    right = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(pixels[::down, ::right])


def _grey(pixels: NDArray[Any]) -> Picture:
    """(H, W) float32, white being 1; in bands of rows, to need little memory."""
    grey = np.empty(pixels.shape[:2], np.float32)
    for top in range(0, len(grey), _ROWS):
        band = pixels[top : top + _ROWS].astype(np.float32)
        if band.ndim == 3:
            blue, green, red = band[..., 0], band[..., 1], band[..., 2]
            band = green + np.float32(0.299) * (red - green) + np.float32(0.114) * (blue - green)
        np.divide(band, np.float32(_WHITE[pixels.dtype]), out=grey[top : top + _ROWS])
    return np.clip(grey, 0, 1, out=grey)
