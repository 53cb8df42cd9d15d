"""A simulated event camera, after ESIM: threshold crossings of log intensity, linear between pictures.

Rebecq, Gehrig, Scaramuzza, "ESIM: an Open Event Camera Simulator", CoRL 2018; leak and shot noise after Hu, Liu,
Delbruck, "v2e: From Video Frames to Realistic DVS Events", CVPR Workshops 2021. What is approximated: no low-pass
filter of the pixel, shot noise does not move the reference, times are whole microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikecore import EventStream, UsageError
from spikecore_plugin_simulate.change import crossings

if TYPE_CHECKING:
    from spikecore_plugin_simulate.config import EventCameraOptions

Step: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""Pixel numbers, times, and whether brightness rose, of as many events."""

_LEAST = 0.2
"""No pixel's contrast threshold is below this share of the mean."""
_IN_WHITE = 0.25
"""Shot noise in white, of that in the dark (v2e)."""
_MOST = 2**26
"""Events between two pictures; they take 13 bytes each while they are made."""
_LONGEST = 2**62
"""Microseconds of a recording."""


class EventCamera:
    """A sensor that has seen a first picture; `watch` takes the next one.

    Args:
        options: What it does to light.
        first: float32 (height, width), intensity in [0, 1].
        random: Draws everything random: thresholds first, then noise.
    """

    def __init__(self, options: EventCameraOptions, first: NDArray[np.float32], random: np.random.Generator) -> None:
        self._options = options
        self._random = random
        self._size = first.shape
        self._on = _thresholds(options.contrast_on, options.contrast_spread, first.size, random)
        self._off = _thresholds(options.contrast_off, options.contrast_spread, first.size, random)
        self._before = self._log(first)
        self._reference = self._before.astype(np.float64)
        self._quiet = np.zeros(first.size)

    def watch(self, picture: NDArray[np.float32], step: float) -> Step:
        """Events on the way to the next picture.

        Args:
            picture: float32 (height, width), intensity in [0, 1].
            step: Microseconds since the last one.

        Returns:
            Pixel numbers, times in 0..1 of the step, and whether brightness rose; sorted by time.

        Raises:
            UsageError: If there are too many of them to be those of a camera.
        """
        after = self._log(picture)
        drift = self._options.leak * 1e-6 * step * self._on.astype(np.float64)
        gap = after + drift - self._reference
        most = int(np.maximum(gap / self._on, -gap / self._off).clip(0).sum()) + after.size
        noise = self._options.shot * after.size * step * 1e-6
        if most + noise > _MOST:
            told = f"{most + noise:.2g} events between two pictures, {step:g} microseconds apart"
            raise UsageError(f"{told}; raise contrast_on, contrast_off or fps, or lower leak and shot")
        pixel, time, rise = np.empty(most, np.int32), np.empty(most), np.empty(most, np.bool_)
        state = (self._before, after, self._reference, self._on, self._off, drift, self._quiet)
        count = crossings(*state, self._options.refractory / step, pixel, time, rise)
        self._before = after
        found: Step = (pixel[:count], time[:count], rise[:count])
        if self._options.shot:
            found = _joined([found, self._noise(picture, step)])
        order = np.argsort(found[1], kind="stable")
        return found[0][order], found[1][order], found[2][order]

    def record(self, pictures: Iterable[NDArray[np.float32]], fps: float, name: str) -> EventStream:
        """Events between the first picture, at time 0, and all `pictures` that follow, `fps` of them per second."""
        nothing: Step = (np.empty(0, np.int32), np.empty(0), np.empty(0, np.bool_))
        pixel, time, rise = _joined([nothing, *self._steps(pictures, 1e6 / fps)])
        height, width = self._size
        x, y = (pixel % width).astype(np.int16), (pixel // width).astype(np.int16)
        return EventStream(x, y, time.astype(np.int64), rise, height, width, name)

    def _steps(self, pictures: Iterable[NDArray[np.float32]], step: float) -> Iterator[Step]:
        for number, picture in enumerate(pictures):
            if (number + 1) * step > _LONGEST:
                raise UsageError(f"pictures {step:g} microseconds apart last longer than 2**62 microseconds; raise fps")
            pixel, time, rise = self.watch(picture, step)
            yield pixel, (number + time) * step, rise

    def _log(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(np.log(picture.reshape(-1) + np.float32(self._options.floor)))

    def _noise(self, picture: NDArray[np.float32], step: float) -> Step:
        """Shot noise of one step: a Poisson process in each pixel, both directions alike."""
        rate = self._options.shot * (1 - (1 - _IN_WHITE) * picture.reshape(-1).astype(np.float64))
        total = np.cumsum(rate)
        count = self._random.poisson(total[-1] * step * 1e-6)
        pixel = np.searchsorted(total, self._random.random(count) * total[-1], side="right").astype(np.int32)
        return pixel, self._random.random(count), self._random.random(count) < 0.5


def _joined(steps: list[Step]) -> Step:
    pixel, time, rise = zip(*steps, strict=True)
    return np.concatenate(pixel), np.concatenate(time), np.concatenate(rise)


def _thresholds(mean: float, spread: float, pixels: int, random: np.random.Generator) -> NDArray[np.float32]:
    drawn = mean + spread * random.standard_normal(pixels)
    return np.maximum(drawn, _LEAST * mean).astype(np.float32)
