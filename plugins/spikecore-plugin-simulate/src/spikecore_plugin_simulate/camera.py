"""A simulated spike camera.

Every pixel collects charge in proportion to light; when it reaches the threshold, the pixel fires and gives that charge
away. What is approximated: light stands still during a frame (no blur within 1/20000 s); spikes are told once a frame,
at most one; the initial charge does not depend on the past of the scene.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikecore import Layout, SpikeStream, UsageError
from spikecore_plugin_simulate.config import Reset
from spikecore_plugin_simulate.integrate import integrate, integrate_photons

if TYPE_CHECKING:
    from spikecore_plugin_simulate.config import SpikeCameraOptions

_LARGEST = 2**31
_SPREAD = 3.0
"""Fixed patterns are cut at this many standard deviations."""


class SpikeCamera:
    """A sensor with its own fixed pattern and charges; `expose` takes one frame.

    Args:
        options: What it does to light.
        height: Rows.
        width: Columns.
        rate: Spikes per frame at intensity 1 and threshold 1.
        random: Draws everything random: fixed patterns first, then charges, then photons.

    Attributes:
        left: float32 (pixels,), charge that each pixel still has to collect before it fires.
    """

    def __init__(
        self, options: SpikeCameraOptions, height: int, width: int, rate: float, random: np.random.Generator
    ) -> None:
        pixels = height * width
        self._layout = Layout(height, width)
        self._options = options
        self._rate = rate
        self._random = random
        self._threshold = np.float32(options.threshold) * _spread(options.threshold_spread, pixels, random)
        self._slope = np.float32(rate) * _spread(options.gain_spread, pixels, random)
        hot = random.random(pixels, np.float32) < options.hot_share
        self._extra = np.float32(options.dark) + np.float32(options.hot_rate) * hot
        collected = random.random(pixels, np.float32) if options.random_phase else np.zeros(pixels, np.float32)
        share = 1 - collected
        if options.photons:
            share = random.standard_gamma(options.photons * share, dtype=np.float32) / np.float32(options.photons)
        self.left = self._threshold * share

    def expose(self, light: NDArray[np.float32], packed: NDArray[np.uint8]) -> None:
        """Take one frame.

        Args:
            light: float32 (height, width), intensity in [0, 1].
            packed: uint8 (ceil(height × width / 8),), where the spikes are written.
        """
        flat = np.ascontiguousarray(light, np.float32).reshape(-1)
        state = (
            flat,
            self._slope,
            self._extra,
            self._threshold,
            self.left,
            self._options.reset is Reset.SUBTRACT,
            packed,
        )
        if self._options.photons:
            integrate_photons(*state, self._options.photons, self._random)
        else:
            integrate(*state)

    def record(self, pictures: Iterable[NDArray[np.float32]], name: str) -> SpikeStream:
        """Take a frame of each picture; the stream states its gain, the intensity per spike rate."""
        rows = []
        for picture in pictures:
            row = np.empty(self._layout.frame_bytes, np.uint8)
            self.expose(picture, row)
            rows.append(row)
            if len(rows) * row.nbytes > _LARGEST:
                raise UsageError(f"{name}: more than 2 GiB of spikes; take fewer frames, length=N (--set length=N)")
        packed = np.stack(rows) if rows else np.empty((0, self._layout.frame_bytes), np.uint8)
        gain = self._options.threshold / self._rate
        return SpikeStream(packed, self._layout, rate=self._options.frequency, gain=gain, name=name)


def _spread(deviation: float, pixels: int, random: np.random.Generator) -> NDArray[np.float32]:
    """One factor a pixel, 1 on average."""
    noise = random.standard_normal(pixels, np.float32)
    return np.float32(1) + np.float32(deviation) * np.clip(noise, -_SPREAD, _SPREAD)
