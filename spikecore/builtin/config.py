"""Options of the core's own components."""

from __future__ import annotations

import attrs
from attrs.validators import and_, ge, gt, le

from spikecore.plugin.options import option


@attrs.frozen
class SceneConfig:
    """Options of builtin/scene."""

    height: int = option(250, help="rows of the picture", validator=and_(ge(8), le(4096)))
    width: int = option(400, help="columns of the picture", validator=and_(ge(8), le(4096)))
    length: int = option(400, help="spike frames of each clip", validator=and_(ge(1), le(1_000_000)))
    clips: int = option(1, help="number of clips", validator=ge(1))
    rate: float = option(0.6, help="spikes per frame at intensity 1", validator=and_(gt(0.0), le(1.0)))
    shapes: int = option(14, help="moving discs and bars in front of the background", validator=and_(ge(0), le(10_000)))
    speed: float = option(
        0.08, help="largest speed of a shape, in pixels per spike frame", validator=and_(ge(0.0), le(1000.0))
    )
    seed: int = option(0, help="seed of everything random", validator=ge(0))

    def __attrs_post_init__(self) -> None:
        if self.height * self.width * self.length > 2**34:
            raise ValueError(f"{self.length} frames of {self.height}x{self.width} are more than 2 GiB; make fewer")


@attrs.frozen
class PsnrConfig:
    """Options of builtin/psnr."""

    crop: int = option(0, help="border pixels left out on every side", validator=ge(0))
