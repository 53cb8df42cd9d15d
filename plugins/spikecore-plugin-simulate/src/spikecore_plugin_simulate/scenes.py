"""simulate/scenes: generated worlds seen by a simulated spike camera, with exact ground truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikecore import Sample
from spikecore_plugin_simulate.camera import SpikeCamera
from spikecore_plugin_simulate.world import World

if TYPE_CHECKING:
    from spikecore_plugin_simulate.config import ScenesConfig


class Scenes:
    """Any number of clips from one seed; clip `index` depends on the seed and the index only.

    Frame t of a clip sees the world as it is at time t; the target belongs to frame length // 2.
    """

    def __init__(self, config: ScenesConfig) -> None:
        self.config = config

    def __len__(self) -> int:
        return self.config.clips

    def __getitem__(self, index: int, /) -> Sample:
        self._check(index)
        config = self.config
        world, rate = self._world(index)
        camera = SpikeCamera(config, config.height, config.width, rate, np.random.default_rng([config.seed, index, 1]))
        name = f"scene-{config.seed}-{index}"
        middle = config.length // 2
        target = {"image": world.image(middle)[None]}
        if config.flow:
            target["flow"] = world.flow(middle)
        if config.depth:
            target["depth"] = world.depth(middle)[None]
        return Sample(
            key=name,
            spikes=camera.record(world.images(np.arange(float(config.length))), name),
            target=target,
            at=middle,
            meta={"rate": rate, "seed": config.seed, "clip": index},
        )

    def image(self, index: int, at: float) -> NDArray[np.float32]:
        """The exact intensity (height, width) in [0, 1] of clip `index` at time `at` in spike frames."""
        self._check(index)
        return self._world(index)[0].image(at)

    def _world(self, index: int) -> tuple[World, float]:
        config = self.config
        random = np.random.default_rng([config.seed, index])
        rate = float(np.exp(random.uniform(*np.log(config.rate))))
        return World.random(config, config.height, config.width, random), rate

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise IndexError(f"there are clips 0..{len(self) - 1}, not {index}")
