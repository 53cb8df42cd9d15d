"""Options of the metrics of this plugin. Imports no torch."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import attrs
from attrs.validators import ge

from spikecore import option

_CROP = "border pixels left out on every side"
_LEVELS = "round: to the nearest, halves to even; truncate: downwards, as casts to 8 bits do; exact: not at all"
_DISPLAY = "clip: the picture as it is, clipped to [0, 1]; minmax: each picture stretched from its extremes to [0, 1]"


class Convention(Enum):
    """Which values of a picture are compared; see `conventions`."""

    STANDARD = "standard"
    SPIKEZOO = "spikezoo"
    SPIKECV = "spikecv"


class Window(Enum):
    """The neighbourhood over which SSIM takes its local statistics."""

    AUTO = "auto"
    GAUSSIAN = "gaussian"
    UNIFORM = "uniform"


class Levels(Enum):
    """How values times 255 become whole numbers."""

    ROUND = "round"
    TRUNCATE = "truncate"
    EXACT = "exact"


class Display(Enum):
    """How a picture is brought into [0, 1] before it is judged without ground truth."""

    CLIP = "clip"
    MINMAX = "minmax"


@attrs.frozen
class PsnrConfig:
    """Options of iqa/psnr."""

    convention: Convention = option(
        Convention.STANDARD,
        help="standard: [0, 1], data range 1; spikezoo: mapped to [-1, 1], data range 2; "
        "spikecv: brought to 8 bits, data range 255",
    )
    levels: Levels = option(Levels.ROUND, help=f"how spikecv brings values to 8 bits: {_LEVELS}")
    crop: int = option(0, help=_CROP, validator=ge(0))


@attrs.frozen
class SsimConfig:
    """Options of iqa/ssim."""

    convention: Convention = option(
        Convention.STANDARD,
        help="standard: [0, 1], data range 1, gaussian; spikezoo: mapped to [-1, 1], data range 2, uniform; "
        "spikecv: brought to 8 bits, data range 255, gaussian",
    )
    levels: Levels = option(Levels.ROUND, help=f"how spikecv brings values to 8 bits: {_LEVELS}")
    window: Window = option(
        Window.AUTO,
        help="gaussian: 11x11, sigma 1.5, population covariance (Wang); uniform: 7x7, sample covariance "
        "(scikit-image's default); auto: the convention's own. Interior pixels only",
    )
    crop: int = option(0, help=_CROP, validator=ge(0))


@attrs.frozen
class MsSsimConfig:
    """Options of iqa/ms-ssim."""

    crop: int = option(0, help=_CROP, validator=ge(0))


@attrs.frozen
class LpipsConfig:
    """Options of iqa/lpips."""

    weights: Path | None = option(
        None,
        help="AlexNet trained on ImageNet, torchvision's alexnet-owt-7be5be79.pth; looked for in torch's hub cache if "
        "not given",
    )
    heads: Path | None = option(
        None, help="linear heads of LPIPS 0.1, its authors' alex.pth; looked for in torch's hub cache if not given"
    )
    crop: int = option(0, help=_CROP, validator=ge(0))


@attrs.frozen
class NiqeConfig:
    """Options of iqa/niqe."""

    display: Display = option(Display.CLIP, help=_DISPLAY)
    crop: int = option(0, help=_CROP, validator=ge(0))


@attrs.frozen
class BrisqueConfig:
    """Options of iqa/brisque."""

    model: Path | None = option(
        None,
        help="support vectors of LIVE's SVM (rho -153.591): LIBSVM text 'allmodel', or a .pth of (sv_coef[774], "
        "sv[774, 36])",
    )
    display: Display = option(Display.CLIP, help=_DISPLAY)
    levels: Levels = option(Levels.ROUND, help=f"how values times 255 become whole numbers: {_LEVELS}")
    crop: int = option(0, help=_CROP, validator=ge(0))


@attrs.frozen
class PiqeConfig:
    """Options of iqa/piqe."""

    display: Display = option(Display.CLIP, help=_DISPLAY)
    crop: int = option(0, help=_CROP, validator=ge(0))
