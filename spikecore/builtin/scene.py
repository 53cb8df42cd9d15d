"""A generated scene: textured background and shapes that move, seen by an ideal integrate-and-fire spike camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.data.sample import Sample
from spikecore.data.spikes import SpikeStream

if TYPE_CHECKING:
    from spikecore.builtin.config import SceneConfig


class Scene:
    """Clips of moving discs and bars over a smooth texture; the target is the exact image at the middle frame.

    Each pixel integrates `rate` × intensity per frame from a random start; it fires, and loses one unit of charge, when
    the charge reaches 1: S[t] = [A[t-1] + rate·I[t] >= 1]. No noise.
    """

    def __init__(self, config: SceneConfig) -> None:
        self.config = config

    def __len__(self) -> int:
        return self.config.clips

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"the scene has clips 0..{len(self) - 1}, not {index}")
        config = self.config
        world = World.random(config, np.random.default_rng([config.seed, index]))
        charge = np.random.default_rng([config.seed, index, 1]).random((config.height, config.width), np.float32)
        packed = np.empty((config.length, -(-config.height * config.width // 8)), np.uint8)
        for t in range(config.length):
            charge += np.float32(config.rate) * world.image(t)
            fired = charge >= 1
            charge -= fired
            packed[t] = np.packbits(fired.ravel(), bitorder="little")
        still = SpikeStream.from_frames(np.zeros((1, config.height, config.width), bool))
        stream = attrs.evolve(still, packed=packed, gain=1 / config.rate, name=f"scene {index}")
        middle = config.length // 2
        return Sample(
            key=f"scene-{config.seed}-{index}",
            spikes=stream,
            target={"image": world.image(middle)[None]},
            at=middle,
            meta={"rate": config.rate},
        )

    def image(self, index: int, at: float) -> NDArray[np.float32]:
        """The exact intensity (height, width) in [0, 1] of clip `index` at time `at` in spike frames."""
        return World.random(self.config, np.random.default_rng([self.config.seed, index])).image(at)


@attrs.frozen(eq=False)
class World:
    """What moves in one clip; `image(t)` draws it at any time, with edges one pixel soft."""

    background: NDArray[np.float32]
    centres: NDArray[np.float32]
    speeds: NDArray[np.float32]
    radii: NDArray[np.float32]
    levels: NDArray[np.float32]
    bars: NDArray[np.bool_]

    @classmethod
    def random(cls, config: SceneConfig, random: np.random.Generator) -> World:
        """Draw a world; the same generator state gives the same world."""
        size = np.array([config.height, config.width], np.float32)
        angle = random.uniform(0, 2 * np.pi, config.shapes)
        speed = config.speed * random.uniform(0.2, 1, config.shapes)
        return cls(
            background=_texture(config.height, config.width, random),
            centres=(random.random((config.shapes, 2)) * size).astype(np.float32),
            speeds=np.stack([speed * np.sin(angle), speed * np.cos(angle)], axis=1).astype(np.float32),
            radii=(random.uniform(0.04, 0.14, (config.shapes, 2)) * size.min()).astype(np.float32),
            levels=random.uniform(0.05, 1, config.shapes).astype(np.float32),
            bars=random.random(config.shapes) < 0.5,
        )

    def image(self, t: float) -> NDArray[np.float32]:
        """Intensity (height, width) in [0, 1] at time `t` in spike frames."""
        picture = self.background.copy()
        for number in range(len(self.levels)):
            self._draw(picture, number, t)
        return picture

    def _draw(self, picture: NDArray[np.float32], number: int, t: float) -> None:
        size = np.array(picture.shape)
        reach = np.float32(self.radii[number].max() + 1)
        centre = (self.centres[number] + self.speeds[number] * t + reach) % (size + 2 * reach) - reach  # leaves unseen
        low = np.maximum(np.floor(centre - reach), 0).astype(int)
        high = np.minimum(np.ceil(centre + reach) + 1, size).astype(int)
        rows = np.arange(low[0], high[0], dtype=np.float32)[:, None] - np.float32(centre[0])
        columns = np.arange(low[1], high[1], dtype=np.float32)[None] - np.float32(centre[1])
        if self.bars[number]:
            inside = np.minimum(self.radii[number][0] - np.abs(rows), self.radii[number][1] - np.abs(columns))
        else:
            inside = self.radii[number].min() - np.hypot(rows, columns)
        cover = np.clip(inside + 0.5, 0, 1)
        part = picture[low[0] : high[0], low[1] : high[1]]
        part += cover * (self.levels[number] - part)


def _texture(height: int, width: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Smooth random texture with a power-law spectrum (amplitude ~ 1/f, as natural images), between 0.1 and 0.9."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    spectrum = np.exp(2j * np.pi * random.random(frequency.shape)) / frequency**1.3
    picture = np.fft.irfft2(spectrum, s=(height, width))
    low, high = picture.min(), picture.max()
    return np.asarray(0.1 + 0.8 * (picture - low) / (high - low), np.float32)
