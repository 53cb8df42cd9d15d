"""Options of the core's own components."""

from __future__ import annotations

import attrs
from attrs.validators import and_, ge, gt, le

from spikecore.plugin.options import option


@attrs.frozen
class SceneConfig:
    """Options of builtin/scene."""

    height: int = option(250, help="rows of the picture", validator=ge(8))
    width: int = option(400, help="columns of the picture", validator=ge(8))
    length: int = option(400, help="spike frames of each clip", validator=ge(1))
    clips: int = option(1, help="number of clips", validator=ge(1))
    rate: float = option(0.6, help="spikes per frame at intensity 1", validator=and_(gt(0.0), le(1.0)))
    shapes: int = option(14, help="moving discs and bars in front of the background", validator=ge(0))
    speed: float = option(0.08, help="largest speed of a shape, in pixels per spike frame", validator=ge(0.0))
    seed: int = option(0, help="seed of everything random", validator=ge(0))


@attrs.frozen
class PsnrConfig:
    """Options of builtin/psnr."""

    crop: int = option(0, help="border pixels left out on every side", validator=ge(0))
