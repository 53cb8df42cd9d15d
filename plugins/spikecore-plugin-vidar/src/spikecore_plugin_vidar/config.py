"""Options of the components of this plugin."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import attrs
from attrs.validators import ge, gt, in_, optional
from cattrs import Converter

from spikecore import make_converter, option

BitOrder = Literal["little", "big"]
Axes = Literal["thw", "twh", "htw", "hwt", "wth", "wht"]
Camera = Literal["auto", "plain", "head16", "1000x1000", "1000x1000-spikecv"]

CAMERAS = ("auto", "plain", "head16", "1000x1000", "1000x1000-spikecv")
DEFAULT_RATE = 20_000.0
BASE_LIMIT = 2**28
LARGEST_LIMIT = 2**32
TIMES_FILE = 16
AXES = ("thw", "twh", "htw", "hwt", "wth", "wht")
FOLDER_HINT = "a folder of recordings is read with source='vidar/folder' (--source vidar/folder)"
"""What to do where a file was asked for and a folder found."""

_GAIN_HELP = "light intensity (0..1) per spike rate (spikes per frame); 1.6667 for recordings simulated at rate 0.6"
_BINARISE_HELP = "values above this are spikes; needed where values are other than the whole numbers 0 and 1"
_LIMIT_HELP = "refuse recordings that need more bytes of memory; else 256 MiB, or 16 times the file, 4 GiB at most"
_AXES_HELP = "the axes of an array of 0 and 1, in the order of the program that wrote it: t frames, h rows, w columns"
_CHECK_HELP = "warn if the values along the axes contradict their order"


@cache
def converter() -> Converter:
    """The reader of tables inside this plugin; one for all, because each compiles code for every class it meets."""
    return make_converter()


def _positive(default: Any, help: str) -> Any:
    return option(default, help=help, validator=optional(gt(0)))


@attrs.frozen
class DatConfig:
    """Options of vidar/dat. What is not given comes from a file beside the recording, see `described`."""

    path: Path = option(help="the recording")
    height: int | None = _positive(None, "rows of the picture")
    width: int | None = _positive(None, "columns of the picture")
    rate: float | None = _positive(None, f"frames per second, Hz; {DEFAULT_RATE:g} where nothing says otherwise")
    gain: float | None = _positive(None, _GAIN_HELP)
    flip: bool | None = option(None, help="rows are stored bottom row first; as the camera does where not said")
    bit_order: BitOrder | None = option(
        None,
        help="'little': the leftmost pixel of a byte is its lowest bit (default); 'big': its highest",
        validator=in_((None, "little", "big")),
    )
    header_columns: int = option(0, help="stored columns right of the picture that are not pixels", validator=ge(0))
    camera: Camera = option(
        "auto",
        help="how rows are stored: plain; head16: 16 header columns; 1000x1000: two lines of 500 pixels + 12 info bits "
        "a row (-spikecv: with the columns SpikeCV takes for pixels); auto: the one that fits the file size",
        validator=in_(CAMERAS),
    )
    image: Path | None = option(None, help="ground truth: a picture of the frame `at`")
    at: int | None = option(None, help="frame that the ground truth belongs to", validator=optional(ge(0)))
    allow_truncated: bool = option(False, help="drop an incomplete last frame with a warning instead of refusing")
    check: bool = option(True, help="warn if the picture contradicts the stated geometry or bit order")


@attrs.frozen
class NpzConfig:
    """Options of vidar/npz."""

    path: Path = option(help="the recording")
    key: str = option(
        "", help="array (frames, height, width) to read; not needed for U-HSR, spikling and our own files"
    )
    rate: float | None = _positive(None, f"frames per second, Hz; the file's own, else {DEFAULT_RATE:g}")
    gain: float | None = _positive(None, _GAIN_HELP)
    binarise: float | None = option(None, help=_BINARISE_HELP)
    axes: Axes = option("thw", help=_AXES_HELP, validator=in_(AXES))
    check: bool = option(True, help=_CHECK_HELP)
    limit: int | None = _positive(None, _LIMIT_HELP)


@attrs.frozen
class NpyConfig:
    """Options of vidar/npy."""

    path: Path = option(help="the recording")
    rate: float | None = _positive(None, f"frames per second, Hz; {DEFAULT_RATE:g} where not said")
    gain: float | None = _positive(None, _GAIN_HELP)
    binarise: float | None = option(None, help=_BINARISE_HELP)
    axes: Axes = option("thw", help=_AXES_HELP, validator=in_(AXES))
    check: bool = option(True, help=_CHECK_HELP)
    limit: int | None = _positive(None, _LIMIT_HELP)


@attrs.frozen
class Hdf5Config:
    """Options of vidar/hdf5."""

    path: Path = option(help="the recording")
    key: str = option("", help="data set (frames, height, width) to read; not needed for our own files")
    allow_missing: bool = option(False, help="take parts of a data set that were never written as silence")
    rate: float | None = _positive(None, f"frames per second, Hz; the file's own, else {DEFAULT_RATE:g}")
    gain: float | None = _positive(None, _GAIN_HELP)
    binarise: float | None = option(None, help=_BINARISE_HELP)
    axes: Axes = option("thw", help=_AXES_HELP, validator=in_(AXES))
    check: bool = option(True, help=_CHECK_HELP)
    limit: int | None = _positive(None, _LIMIT_HELP)


@attrs.frozen
class FolderConfig:
    """Options of vidar/folder."""

    path: Path = option(help="the folder that holds the recordings, or the sub-folders of recordings and pictures")
    pattern: str = option("*.dat", help="file name pattern of the recordings (.dat, .raw, .bin, .npz, .npy, .h5, .mat)")
    spikes: str = option("spike", help="sub-folder of the recordings; '.' for the folder itself")
    targets: str = option("gt", help="sub-folder of the ground-truth pictures; '' for recordings without any")
    target_suffix: str = option(
        ".png", help="what follows the recording's name in the name of its picture; .png, .bmp, .tif, .hdr or .jpg"
    )
    at: int | None = option(
        None,
        help="frame the picture belongs to; else 'key_id151' in a name means frame 150, else the middle",
        validator=optional(ge(0)),
    )
    height: int | None = _positive(None, "rows of the picture, for .dat")
    width: int | None = _positive(None, "columns of the picture, for .dat")
    rate: float | None = _positive(None, "frames per second, Hz")
    gain: float | None = _positive(None, _GAIN_HELP)
    allow_truncated: bool = option(False, help="drop incomplete last frames of .dat files with a warning")
    check: bool = option(True, help="warn if the first recording contradicts its geometry, bit order or axes")
    reader: dict[str, Any] = option(
        factory=dict, help="further options of the reader of each file, e.g. {camera = 'head16'}"
    )
