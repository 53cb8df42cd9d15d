"""simulate/events: a video or generated scenes seen by a simulated event camera."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikecore import Sample, UsageError
from spikecore_plugin_simulate.event_camera import EventCamera
from spikecore_plugin_simulate.footage import open_footage
from spikecore_plugin_simulate.light import Light
from spikecore_plugin_simulate.spike_footage import warn_if_spikes
from spikecore_plugin_simulate.world import World

if TYPE_CHECKING:
    from spikecore_plugin_simulate.config import EventsConfig
    from spikecore_plugin_simulate.footage import Footage

_SIZE = (180, 240)
_LENGTH = 200
_FPS = 1000.0


class Events:
    """With a path one recording, else as many generated clips as asked for; times begin with 0 at the first picture."""

    def __init__(self, config: EventsConfig) -> None:
        self.config = config
        self._footage: Footage | None = open_footage(config.path, config.allow_truncated) if config.path else None
        self._fps = config.fps or (self._footage.fps if self._footage else _FPS)
        if self._fps is None:
            raise UsageError(f"{config.path} does not say how many pictures make a second; give fps=N (--set fps=N)")

    def __len__(self) -> int:
        return 1 if self._footage else self.config.clips

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"there are recordings 0..{len(self) - 1}, not {index}")
        config = self.config
        if self._footage and config.check:
            warn_if_spikes(self._footage)
        key = config.path.stem if config.path else f"scene-{config.seed}-{index}"
        pictures = self._pictures(index)
        first = next(pictures)
        camera = EventCamera(config, first, np.random.default_rng([config.seed, index, 1]))
        cameras: Any = (camera.record(pictures, self._fps or _FPS, str(config.path or key)),)
        return Sample(key=key, events=cameras, meta={"seed": config.seed, "clip": index, "fps": self._fps})

    def _pictures(self, index: int) -> Iterator[NDArray[np.float32]]:
        config = self.config
        if self._footage:
            size = (config.height, config.width)
            light = Light(self._footage, *size, length=config.length, grey=config.grey, gamma=config.gamma)
            return iter(light)
        size = (config.height or _SIZE[0], config.width or _SIZE[1])
        world = World.random(config, *size, np.random.default_rng([config.seed, index]))
        return world.images(np.arange(float(config.length or _LENGTH)))
