"""simulate/stereo-events: generated scenes seen by a rectified pair of event cameras, with exact depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikecore import EventStream, Sample
from spikecore_plugin_simulate.event_camera import EventCamera
from spikecore_plugin_simulate.world import World

if TYPE_CHECKING:
    from spikecore_plugin_simulate.config import StereoEventsConfig


class StereoEvents:
    """Clips of two event streams, left and right; the target is the left camera's depth at the last instant.

    A point at depth d metres lies focal · baseline / d pixels further left in the right camera. Depth is known for
    every pixel.
    """

    def __init__(self, config: StereoEventsConfig) -> None:
        self.config = config

    def __len__(self) -> int:
        return self.config.clips

    def __getitem__(self, index: int, /) -> Sample:
        world = self._world(index)
        config = self.config
        last = config.length - 1
        cameras: Any = (self._watch(world, index, 0), self._watch(world, index, 1))
        return Sample(
            key=f"scene-{config.seed}-{index}",
            events=cameras,
            target={"depth": world.depth(last)[None]},
            meta={
                "seed": config.seed,
                "clip": index,
                "baseline_m": config.baseline,
                "focal_px": config.focal,
                "depth_at_us": int(last * 1e6 / config.fps),
            },
        )

    def image(self, index: int, at: float, camera: int = 0) -> NDArray[np.float32]:
        """The exact intensity (height, width) in [0, 1] that a camera (0 left, 1 right) sees at `at`, in frames."""
        return self._world(index).image(at, camera * self.config.baseline * self.config.focal)

    def _watch(self, world: World, index: int, camera: int) -> EventStream:
        config = self.config
        pictures = world.images(np.arange(float(config.length)), camera * config.baseline * config.focal)
        random = np.random.default_rng([config.seed, index, 1 + camera])
        name = f"scene-{config.seed}-{index} {('left', 'right')[camera]}"
        return EventCamera(config, next(pictures), random).record(pictures, config.fps, name)

    def _world(self, index: int) -> World:
        if not 0 <= index < len(self):
            raise IndexError(f"there are clips 0..{len(self) - 1}, not {index}")
        config = self.config
        return World.random(config, config.height, config.width, np.random.default_rng([config.seed, index]))
