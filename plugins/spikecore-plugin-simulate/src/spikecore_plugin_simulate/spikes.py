"""simulate/spikes: a video or a folder of images seen by a simulated spike camera."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore import Sample, SpikeStream, UsageError
from spikecore_plugin_simulate.camera import SpikeCamera
from spikecore_plugin_simulate.config import Preset, SpikesConfig
from spikecore_plugin_simulate.footage import open_footage
from spikecore_plugin_simulate.light import Light, wanted_size
from spikecore_plugin_simulate.spike_footage import warn_if_spikes
from spikecore_plugin_simulate.spikling import fire, grey_frames, initial_charge

if TYPE_CHECKING:
    from spikecore_plugin_simulate.footage import Footage

_OF_PRESETS = {"path", "height", "width", "length", "preset", "allow_truncated", "check", "seed", "frequency"}


class Spikes:
    """One recording; frame t sees the footage at t / interpolate frames. The target is the picture of the middle frame.

    Raises:
        SpikeFormatError: If the footage is missing or not what it seems; damage is met when the sample is asked for.
        UsageError: If the path is an address or a numbered pattern, or options contradict the preset.
    """

    def __init__(self, config: SpikesConfig) -> None:
        self.config = config
        self._footage: Footage = open_footage(config.path, config.allow_truncated)
        if config.preset is not Preset.NONE:
            _refuse_others(config)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int, /) -> Sample:
        if index != 0:
            raise IndexError(f"{self.config.path} makes one recording, there is no number {index}")
        config = self.config
        if config.check:
            warn_if_spikes(self._footage)
        stream, rate = self._spikling() if config.preset is Preset.SPIKLING else self._simulate()
        middle = len(stream) // 2
        return Sample(
            key=config.path.stem,
            spikes=stream,
            target={"image": self.image(middle)[None]},
            at=middle,
            meta={"rate": rate, "seed": config.seed},
        )

    def image(self, at: int) -> NDArray[np.float32]:
        """The intensity (height, width) in [0, 1] that spike frame `at` sees; reads the footage up to it."""
        for picture in islice(self.images(), at, at + 1):
            return picture
        raise UsageError(f"{self.config.path} has no frame {at}")

    def images(self) -> Iterator[NDArray[np.float32]]:
        """`image` of every spike frame in order, in one pass over the footage."""
        if self.config.preset is Preset.SPIKLING:
            return (grey.astype(np.float32) / np.float32(255) for grey in islice(self._grey(), self.config.length))
        return iter(self._light())

    def _simulate(self) -> tuple[SpikeStream, float]:
        config = self.config
        pictures = iter(self._light())
        first = next(pictures)
        camera = SpikeCamera(
            config, first.shape[0], first.shape[1], config.rate, np.random.default_rng([config.seed, 0])
        )
        return camera.record(_chained(first, pictures), str(config.path)), config.rate

    def _spikling(self) -> tuple[SpikeStream, float]:
        """Initial charges from the generator that spikling uses, so that equal seeds give equal spikes."""
        frames = islice(self._grey(), self.config.length)
        first = next(frames)
        charge = initial_charge(np.random.RandomState(self.config.seed), *first.shape)
        spikes = [np.packbits(spike, bitorder="little") for spike, _ in fire(_chained(first, frames), charge)]
        still = SpikeStream.from_frames(np.zeros((1, *first.shape), bool), rate=self.config.frequency, gain=1.0)
        return attrs.evolve(still, packed=np.stack(spikes), name=str(self.config.path)), 1.0

    def _light(self) -> Light:
        config = self.config
        size = (config.height, config.width)
        return Light(self._footage, *size, config.interpolate, config.length, config.grey, config.gamma)

    def _grey(self) -> Iterator[NDArray[np.uint8]]:
        config = self.config
        first = next(iter(self._footage))
        return grey_frames(self._footage, *wanted_size(first.shape[:2], config.height, config.width))


def _chained(first: NDArray[Any], rest: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    yield first
    yield from rest


def _refuse_others(config: SpikesConfig) -> None:
    """A preset is exact: options that would change it are an error, not ignored."""
    fields = [field for field in attrs.fields(SpikesConfig) if field.name not in _OF_PRESETS]
    changed = [field.name for field in fields if getattr(config, field.name) != field.default]
    if changed:
        raise UsageError(f"preset={config.preset.value} fixes {', '.join(changed)}; leave them out, or the preset")
