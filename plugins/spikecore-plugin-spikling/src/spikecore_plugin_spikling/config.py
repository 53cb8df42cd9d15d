"""Options of the plugin's components. Imports no torch and no numpy."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import attrs
from attrs.validators import and_, ge, le, optional

from spikecore import option


class Filter(Enum):
    """What is done to a picture after it was reconstructed."""

    DENOISE = "denoise"
    SMOOTH = "smooth"


class Arithmetic(Enum):
    """How the network computes when it is not training."""

    AUTO = "auto"
    FLOAT32 = "float32"


def _compat(help: str = "") -> Any:
    return option(False, help=f"exactly the original's 8-bit values, as value / 255{help}")


def _filters() -> Any:
    return option((), help="applied to the result, in this order: denoise, smooth; they see it as 0..255")


def _search() -> Any:
    return option(
        None,
        help="frames looked at on either side, the ends of the recording for the rule; all of them by default",
        validator=optional(and_(ge(1), le(1_000_000))),
    )


@attrs.frozen
class WindowConfig:
    """Options of spikling/window."""

    window: int = option(
        32, help="spike frames averaged; the instant is the middle, of an even number the later middle", validator=ge(1)
    )
    clip: bool = option(
        False, help="at the ends of a recording: true averages the frames that exist, false refuses the instant"
    )
    compat: bool = _compat()
    filters: tuple[Filter, ...] = _filters()


@attrs.frozen
class IntervalConfig:
    """Options of spikling/interval."""

    search: int | None = _search()
    compat: bool = _compat("; a pixel without spikes then gets 1 / (frames of the recording - 1), else 0")
    filters: tuple[Filter, ...] = _filters()


@attrs.frozen
class CurveConfig:
    """Options of spikling/brightness-curve and spikling/integral-curve."""

    search: int | None = _search()
    offset: float | None = option(
        None,
        help="added to the result, of 255; left out: 0, or the original's 30 with compat",
        validator=optional(ge(0)),
    )
    compat: bool = _compat("; the ends of the recording then stand in for missing spikes, which shows silence bright")
    filters: tuple[Filter, ...] = _filters()


@attrs.frozen
class SemiUnetConfig:
    """Options of spikling/semi-unet."""

    arithmetic: Arithmetic = option(
        Arithmetic.AUTO,
        help='"auto": bfloat16 on processors that have instructions for it, also in a run of precision float32; '
        '"float32": as the run says',
        adjustable=True,
    )
    bin: int | None = option(
        None,
        help="spike frames joined into each of the 32; 1 is the original, left out is 1 to 6 by light and motion",
        validator=optional(and_(ge(1), le(64))),
        adjustable=True,
    )


@attrs.frozen
class L2Config:
    """Options of spikling/l2."""

    compat: bool = option(False, help="read outputs one level of 255 lower than the truth, as the original does")


@attrs.frozen
class TvConfig:
    """Options of spikling/tv: none."""


@attrs.frozen
class VggConfig:
    """Options of spikling/vgg."""

    weights: Path | None = option(
        None, help="VGG19 weights: the original's vgg19-conv.pth (14 tensors), or torchvision's whole state_dict"
    )
    download: bool = option(False, help="let torchvision download its weights (574 MB) where no file is given")
    compat: bool = option(False, help="read outputs one level of 255 lower than the truth, as the original does")


@attrs.frozen
class PairsConfig:
    """Options of spikling/pairs."""

    path: Path = option(help="folder of .npz files with the arrays seq, tag and length")
    gain: float = option(1.0, help="intensity per spike rate; 1 in what spikling simulates", validator=ge(1e-6))
