"""Options of the plugin's components. Imports no torch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs
from attrs.validators import and_, ge, gt, in_, lt, optional

from spikecore import option

FRAMES = 41
"""Spike frames that every network takes; the instant is the middle one."""


class Variant(StrEnum):
    """Which of the networks called SSML; see the table in the README."""

    A = "a"
    B = "b"
    C = "c"
    D = "d"
    E = "e"


class Padding(StrEnum):
    """What blind networks put around a picture to make it square before they turn it."""

    OWN = "own"
    REFLECT = "reflect"
    ZERO = "zero"


class Ends(StrEnum):
    """What is done with instants nearer than 20 frames to an end of the recording."""

    REFUSE = "refuse"
    MIRROR = "mirror"


class Label(StrEnum):
    """Pseudo-label computed from the spikes: reciprocal of the interval, or mean of a few frames."""

    TFI = "tfi"
    TFP = "tfp"


class Norm(StrEnum):
    """How a difference is counted."""

    L1 = "l1"
    L2 = "l2"
    CHARBONNIER = "charbonnier"


class Pretext(StrEnum):
    """How the blind network is kept from copying its noisy label."""

    ARCHITECTURAL = "architectural"
    MASKED = "masked"


_VARIANT = "network: a (SpikeCV), b (fin3g), c (official head), d (non-local), e (this project's own)"
_PADDING = "around pictures that are not square, in blind networks: zero, reflect, or the variant's own"


@attrs.frozen
class BranchConfig:
    """Options of ssml/bsn, and of ssml/nbsn beside its own."""

    variant: Variant = option(Variant.E, help=_VARIANT)
    padding: Padding = option(Padding.OWN, help=_PADDING)
    ends: Ends = option(
        Ends.REFUSE, help="instants within 20 frames of an end: refuse, or mirror the frames in time", adjustable=True
    )
    output_gain: float = option(
        1.0,
        help="factor from what the weights give to light in spikes per frame",
        validator=gt(0.0),
        adjustable=True,
    )
    rate_limit: float = option(
        0.0,
        help="local spike rate (per frame) up to which the weights are valid, 0 for any",
        validator=ge(0.0),
        adjustable=True,
    )
    rate_guard: bool = option(
        True, help="above the limit, keep every k-th spike of each pixel and multiply by k", adjustable=True
    )


@attrs.frozen
class NbsnConfig(BranchConfig):
    """Options of ssml/nbsn."""

    tile: int = option(
        0,
        help="compute in tiles of this side that give the same as the whole (variant a only), 0 for whole",
        validator=ge(0),
        adjustable=True,
    )


@attrs.frozen
class MutualConfig:
    """Options of ssml/mutual."""

    variant: Variant = option(Variant.E, help=_VARIANT)
    padding: Padding = option(Padding.OWN, help=_PADDING)
    pretext: Pretext = option(
        Pretext.ARCHITECTURAL,
        help="what keeps bsn from copying its label: it is blind (architectural), or pixels are hidden (masked, "
        "experimental)",
    )
    masked: float = option(0.05, help="share of pixels that are hidden", validator=and_(gt(0.0), lt(1.0)))

    def __attrs_post_init__(self) -> None:
        if self.pretext is Pretext.MASKED and self.variant is Variant.E:
            raise ValueError('pretext="masked" needs a variant that can do without blindness: a, b, c or d')


@attrs.frozen
class InstantsConfig:
    """Options of ssml/instants."""

    path: Path = option(help="a recording, or a folder of them")
    height: int | None = option(None, help="rows of the picture, for files that do not say", validator=optional(gt(0)))
    width: int | None = option(None, help="columns of the picture", validator=optional(gt(0)))
    reader: str = option("", help="id of the source that reads the recordings; chosen by file name where not said")
    options: dict[str, Any] = option(factory=dict, help="further options of that source, e.g. {camera = 'head16'}")
    clips: int = option(1000, help="random clips of 41 frames, over all recordings together", validator=ge(1))
    seed: int = option(0, help="seeds the instants", validator=ge(0))


@attrs.frozen
class ReconstructionConfig:
    """Options of ssml/reconstruction."""

    kind: Norm = option(Norm.L2, help="how the difference is counted")
    label: Label = option(Label.TFI, help="pseudo-label: tfi (interval) or tfp (mean of seven frames)")
    of: str = option(
        "auto",
        help="output that is compared: bsn, nbsn, image, or auto: bsn where the model gives it, else image",
        validator=in_(("auto", "bsn", "nbsn", "image")),
    )


@attrs.frozen
class DistillationConfig:
    """Options of ssml/mutual, the loss."""

    kind: Norm = option(Norm.L2, help="how the difference is counted")
    detach: bool = option(False, help="the blind network is not pulled towards the other")
    teacher: str = option(
        "bsn",
        help="output that is learnt from: bsn, or of variant e fused, or both, their mean",
        validator=in_(("bsn", "fused", "both")),
    )


@attrs.frozen
class FusionConfig:
    """Options of ssml/fusion: none."""


@attrs.frozen
class MotionConfig:
    """Options of ssml/motion."""

    of: str = option("image", help="output that is judged: bsn, nbsn or image", validator=in_(("bsn", "nbsn", "image")))
    reach: int = option(
        10,
        help="frames before and after the instant whose means say how things move",
        validator=in_(range(2, 15)),
    )
    radius: int = option(3, help="pixels around each that share one motion", validator=ge(1))


@attrs.frozen
class SmoothnessConfig:
    """Options of ssml/smoothness."""

    of: str = option("image", help="output that is judged: bsn, nbsn or image", validator=in_(("bsn", "nbsn", "image")))
