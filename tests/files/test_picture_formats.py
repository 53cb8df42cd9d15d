"""Pictures of every kind give the values that are stored in them, or are refused by name."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from spikecore import SpikeFormatError
from spikecore.files.pictures import read_image, read_pixels

from .made_pictures import bmp, chunk, exif, png, tiff

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
COLOUR = np.dstack([GREY, 255 - GREY, np.roll(GREY, 3, 1)])
FOUR = GREY // 5 % 16
BITS = np.packbits(GREY > 100, axis=1)
OPAQUE, HALF = np.full_like(GREY, 255), np.full_like(GREY, 100)
WIDE = GREY.astype(np.uint16) * 257
FLOAT = GREY.astype(np.float32) / 255
PALETTE = bytes(range(0, 240, 5)) * 3


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.png"


def intensity(values):
    """Grey of colours in red, green, blue."""
    values = values.astype(float) / {"f": 1, "u": 2.0 ** (8 * values.dtype.itemsize) - 1}[values.dtype.kind]
    return values if values.ndim == 2 else values[..., :3] @ [0.299, 0.587, 0.114]


def bgr(colours):
    return np.pad(colours[..., ::-1], ((0, 0), (0, 0), (0, 1))).reshape(-1, 4).tobytes()


READ = {
    "png 1 bit": (png(BITS, 1, size=(6, 8)), (GREY > 100) * 1.0),
    "png 4 bits": (png(FOUR[:, ::2] << 4 | FOUR[:, 1::2], 4, size=(6, 8)), FOUR / 15),
    "png 16 bits": (png(WIDE.astype(">u2"), 16), intensity(WIDE)),
    "png grey, opaque": (png(np.dstack([GREY, OPAQUE]), 8, 4), intensity(GREY)),
    "png colour": (png(COLOUR, 8, 2), intensity(COLOUR)),
    "png colour, 16 bits": (png((COLOUR * np.uint16(257)).astype(">u2"), 16, 2), intensity(COLOUR)),
    "png colour, opaque": (png(np.dstack([COLOUR, OPAQUE]), 8, 6), intensity(COLOUR)),
    "png palette": (png(GREY // 5, 8, 3, chunk(b"PLTE", COLOUR.tobytes())), intensity(COLOUR)),
    "png palette, opaque": (
        png(GREY // 5, 8, 3, chunk(b"PLTE", COLOUR.tobytes()) + chunk(b"tRNS", b"\xff" * 9)),
        intensity(COLOUR),
    ),
    "png with gamma, texts and a profile": (
        png(GREY, before=chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"zTXt", b"a\0\0x") + chunk(b"iCCP", b"x")),
        intensity(GREY),
    ),
    "bmp 1 bit": (bmp(BITS, 1, bytes(4) + b"\xff\xff\xff\0"), (GREY > 100) * 1.0),
    "bmp palette": (bmp(GREY // 5, 8, bgr(COLOUR)), intensity(COLOUR)),
    "bmp grey upside down": (
        bmp(GREY[::-1], 8, bytes(i // 4 if i % 4 < 3 else 0 for i in range(1024)), 6),
        intensity(GREY),
    ),
    "bmp colour": (bmp(COLOUR[..., ::-1].reshape(6, -1), 24), intensity(COLOUR)),
    "bmp 32 bits": (bmp(np.dstack([COLOUR[..., ::-1], 0 * GREY]).reshape(6, -1), 32), intensity(COLOUR)),
    "tiff": (tiff(GREY), intensity(GREY)),
    "tiff, 0 is white": (tiff(255 - GREY, t262=[0]), intensity(GREY)),
    "tiff 16 bits, 0 is white": (tiff(~WIDE, ">", t262=[0]), intensity(WIDE)),
    "tiff 1 bit": (tiff(BITS, t258=[1], t256=[8]), (GREY > 100) * 1.0),
    "tiff grey, opaque": (tiff(np.dstack([GREY, OPAQUE]), t338=[2]), intensity(GREY)),
    "tiff colour, opaque": (tiff(np.dstack([COLOUR, OPAQUE]), t338=[1]), intensity(COLOUR)),
    "tiff planes": (
        tiff(
            COLOUR,
            pixels=COLOUR.transpose(2, 0, 1).tobytes(),
            t284=[2],
            t273=[8, 56, 104],
            t279=[48, 48, 48],
        ),
        intensity(COLOUR),
    ),
    "tiff deflate": (tiff(WIDE, pixels=zlib.compress(WIDE.tobytes()), t259=[8]), intensity(WIDE)),
    "tiff float": (tiff(FLOAT), intensity(FLOAT)),
    "tiff double, colour": (tiff(COLOUR / 255, ">"), intensity(COLOUR / 255)),
}


@pytest.mark.parametrize(("data", "expected"), READ.values(), ids=READ)
def test_values_are_those_stored(path, data, expected):
    path.write_bytes(data)
    read = read_image(path)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, expected, atol=2e-7)


@pytest.mark.parametrize("compression", [1, 5, 8, 32773])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tiff_as_opencv_packs_it(path, compression, predictor, dtype):
    values = np.sin(np.arange(200 * 300 * 3) / 40).reshape(200, 300, 3) / 2 + 0.5
    values = values.astype(dtype) if dtype is np.float32 else np.rint(values * np.iinfo(dtype).max).astype(dtype)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    path.write_bytes(cv2.imencode(".tiff", values, options)[1].tobytes())
    assert np.array_equal(read_pixels(path), values)


def test_a_palette_of_greys_gives_grey(path):
    greys = np.repeat(np.arange(255, -1, -1, dtype=np.uint8), 3).reshape(256, 1, 3)
    for data in (png(GREY, 8, 3, chunk(b"PLTE", greys.tobytes())), bmp(GREY, 8, bgr(greys))):
        path.write_bytes(data)
        assert np.array_equal(read_pixels(path), 255 - GREY)


def test_equal_channels_are_exactly_the_one(path):
    for grey, three in (
        (png(GREY), png(np.dstack([GREY] * 3), 8, 2)),
        (png(WIDE.astype(">u2"), 16), png(np.dstack([WIDE] * 3).astype(">u2"), 16, 2)),
        (tiff(FLOAT), tiff(np.dstack([FLOAT] * 3))),
    ):
        path.write_bytes(grey)
        expected = read_image(path)
        path.write_bytes(three)
        assert np.array_equal(read_image(path), expected)


def test_radiance(path):
    values = np.ldexp(np.arange(1, 25).reshape(2, 4, 3).astype(np.float32), -5)  # exact in eight bits each
    values[..., 0] = 0.75
    path.write_bytes(cv2.imencode(".hdr", values)[1].tobytes())
    np.testing.assert_allclose(read_image(path), values.astype(float) @ [0.114, 0.587, 0.299], atol=1e-7)


def jpeg(block=b""):
    data = cv2.imencode(".jpg", GREY)[1].tobytes()
    return data[:2] + (b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block if block else b"") + data[2:]


def hdr(*lines):
    head = b"#?RADIANCE\n" + b"".join(line + b"\n" for line in lines) + b"\n-Y 1 +X 2\n"
    return head + bytes([128, 128, 128, 128] * 2)


REFUSED = {
    "png grey, not opaque": (png(np.dstack([GREY, HALF]), 8, 4), "transparent in parts"),
    "png colour, not opaque": (png(np.dstack([COLOUR, HALF]), 8, 6), "transparent in parts"),
    "png palette, not opaque": (
        png(GREY // 5, 8, 3, chunk(b"PLTE", COLOUR.tobytes()) + chunk(b"tRNS", b"\x07")),
        "transparent in parts",
    ),
    "png with a transparent colour": (png(GREY, before=chunk(b"tRNS", b"\0\5")), "a transparent colour"),
    "png animated": (png(GREY, before=chunk(b"acTL", bytes(8))), "an animated PNG"),
    "png palette too short": (png(GREY // 5, 8, 3, chunk(b"PLTE", bytes(12))), "4 colours in its palette, 48 used"),
    "png that ends too early": (png(GREY, pixels=bytes(50)), "pixels are fewer or more"),
    "png that goes on": (png(GREY, pixels=bytes(55)), "pixels are fewer or more"),
    "png damaged": (png(GREY)[:30] + b"!" + png(GREY)[31:], "checksum of its chunk b'IHDR' is wrong"),
    "bmp not opaque": (bmp(np.dstack([COLOUR, HALF]).reshape(6, -1), 32), "transparent in parts"),
    "bmp packed": (bmp(GREY, 8, bytes(1024), coding=1), "a BMP of 8 bits a pixel, coding 1"),
    "bmp palette too short": (bmp(GREY // 5, 8, bytes(40)), "10 colours in its palette, 48 used"),
    "bmp cut": (bmp(GREY, 8, bytes(1024))[:-1], "BMP file whose end is missing"),
    "tiff of several pages": (tiff(GREY)[:-4] + b"\x08\0\0\0", "a TIFF of several pages"),
    "tiff signed": (tiff(GREY.astype(np.int16)), "signed values of 16 bits"),
    "tiff 32 bits": (tiff(GREY.astype(np.uint32)), "unsigned values of 32 bits"),
    "tiff half": (tiff(FLOAT.astype(np.float16)), "floating-point values of 16 bits"),
    "tiff 12 bits": (tiff(GREY, t258=[12]), "unsigned values of 12 bits"),
    "tiff CMYK": (tiff(np.dstack([COLOUR, GREY]), t262=[5]), "a TIFF in CMYK"),
    "tiff Lab": (tiff(COLOUR, t262=[8]), "a TIFF in CIE Lab"),
    "tiff not opaque": (tiff(np.dstack([GREY, HALF]), t338=[2]), "transparent in parts"),
    "tiff of five values": (tiff(np.dstack([COLOUR, GREY, GREY])), "a TIFF of 5 values a pixel"),
    "tiff as JPEG": (tiff(GREY, t259=[7]), "compressed in a way that is not read"),
    "tiff cut": (tiff(GREY, pixels=bytes(20)), "fewer pixels than its size says"),
    "tiff deflate cut": (tiff(GREY, pixels=zlib.compress(bytes(20)), t259=[8]), "fewer pixels"),
    "tiff deflate damaged": (tiff(GREY, pixels=zlib.compress(bytes(48))[:-4] + b"sums", t259=[8]), "damaged picture"),
    "tiff lzw damaged": (tiff(GREY, pixels=b"\x80\x7f\xff\xff", t259=[5]), "a code of LZW that stands for nothing"),
    "tiff that points outside": (tiff(GREY, t273=[2**31]), "whose end is missing"),
    "tiff of too many parts": (tiff(GREY, t278=[1]), "parts are not what its size says"),
    "tiff of huge tiles": (tiff(GREY, t322=[2**16], t323=[2**16], t324=[8], t325=[48]), "parts of 65536x65536"),
    "jpeg cut": (jpeg()[:-2], "a JPEG file whose end is missing"),
    "jpeg to be turned": (jpeg(b"Exif\0\0" + exif(6)), "Exif orientation 6"),
    "png to be turned": (png(GREY, before=chunk(b"eXIf", exif(3, ">"))), "Exif orientation 3"),
    "tiff to be turned": (tiff(GREY, t274=[8]), "Exif orientation 8"),
    "hdr exposed": (hdr(b"EXPOSURE=2.5", b"FORMAT=32-bit_rle_rgbe"), "multiplied by an exposure"),
    "hdr in XYZ": (hdr(b"FORMAT=32-bit_rle_xyze"), "without the line FORMAT=32-bit_rle_rgbe"),
    "float too bright": (tiff(FLOAT * 255), "intensities of 0..235; expected 0..1\n.*divide by the value of white"),
    "float below 0": (tiff(FLOAT - 0.5), r"intensities of -0\.5\.\.0\.42\d*; expected 0\.\.1"),
    "float without a number": (tiff(FLOAT * np.float32(np.nan)), "not finite"),
    "exr": (
        b"v/1\x01" + bytes(60),
        "an OpenEXR picture; expected .*PNG, JPEG, BMP, TIFF or Radiance HDR\n.*save it as PNG",
    ),
    "gif": (b"GIF89a" + bytes(60), "a GIF picture"),
    "pgm": (b"P5 8 6 255\n" + GREY.tobytes(), "a PBM, PGM or PPM picture"),
    "webp": (cv2.imencode(".webp", COLOUR)[1].tobytes(), "as WebP pictures are"),
    "heif": (b"\0\0\0\x18ftypheic" + bytes(40), "a HEIF or AVIF picture"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_taken_is_named(path, data, message):
    path.write_bytes(data)
    with pytest.raises(SpikeFormatError, match=message) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_are_turned_as_they_are_to_be_looked_at(path, orientation):
    """Row 0 and column 0 as stored are seen at: top left, top right, bottom right, bottom left; left top, and so on."""
    seen = [GREY, GREY[:, ::-1], GREY[::-1, ::-1], GREY[::-1]]
    seen += [GREY.T, np.rot90(GREY, -1), GREY[::-1, ::-1].T, np.rot90(GREY)]
    for data in (tiff(GREY, t274=[orientation]), png(GREY, before=chunk(b"eXIf", exif(orientation)))):
        path.write_bytes(data)
        assert np.array_equal(read_pixels(path), seen[orientation - 1])
