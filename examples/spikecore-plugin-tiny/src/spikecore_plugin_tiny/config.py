"""Options of the tiny components. Imports no torch."""

from __future__ import annotations

import attrs
from attrs.validators import ge

from spikecore import option


@attrs.frozen
class ModelConfig:
    """Options of the models."""

    width: int = option(8, help="channels between the two convolutions", validator=ge(1))


@attrs.frozen
class PanConfig:
    """Options of tiny/pan."""

    clips: int = option(8, help="number of clips", validator=ge(1))
    size: int = option(32, help="rows and columns", validator=ge(8))
    frames: int = option(5, help="camera frames of a clip", validator=ge(1))
    exposure: int = option(16, help="spike frames that a camera frame is exposed", validator=ge(1))
    seed: int = option(0, help="seed of everything random", validator=ge(0))


@attrs.frozen
class DriveConfig:
    """Options of tiny/drive."""

    clips: int = option(8, help="number of clips", validator=ge(1))
    size: int = option(32, help="rows and columns", validator=ge(8))
    seed: int = option(0, help="seed of everything random", validator=ge(0))
