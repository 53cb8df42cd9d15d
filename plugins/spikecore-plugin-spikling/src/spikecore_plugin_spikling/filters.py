"""spikling's two filters of grey pictures (0..255, float64), from their documented behaviour (filtering)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.kernels.compiled import compiled
from spikecore_plugin_spikling.config import Filter

Grey = NDArray[np.float64]

UNLIKE = 20.0
"""Levels of 255 by which neighbours differ that do not belong together."""


def denoising(image: NDArray[Any]) -> Grey:
    """Pull pixels that are unlike six or more of their eight neighbours to these: a ← (a + 4·mean) / 5.

    Row by row, so that pixels see what became of their upper and left neighbours; the outermost ones stay.

    Args:
        image: (height, width), 0..255.
    """
    result = np.array(image, np.float64, order="C")
    _denoise(result)
    return result


def smoothing(image: NDArray[Any]) -> Grey:
    """Mean of each pixel and those of its twelve nearest neighbours that are like it.

    out = (a + sum w·v) / (1 + sum w) over neighbours v with |a - v| < 20; w is 0.8 beside and above, 0.3 diagonally,
    0.6 two pixels away beside and above. Neighbours outside the picture are left out.

    Args:
        image: (height, width), 0..255.
    """
    source = np.array(image, np.float64, order="C")
    result = np.empty_like(source)
    _smooth(source, result)
    return result


FILTERS: Mapping[Filter, Callable[[NDArray[Any]], Grey]] = MappingProxyType(
    {Filter.DENOISE: denoising, Filter.SMOOTH: smoothing}
)


@compiled
def _denoise(image: Any) -> None:
    for y in range(1, image.shape[0] - 1):
        for x in range(1, image.shape[1] - 1):
            centre, total, unlike = image[y, x], 0.0, 0
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    if dy or dx:
                        value = image[y + dy, x + dx]
                        total += value
                        unlike += abs(centre - value) > UNLIKE
            if unlike > 5:
                image[y, x] = (centre + total / 2) / 5


@compiled
def _smooth(source: Any, result: Any) -> None:
    height, width = source.shape
    for y in range(height):
        for x in range(width):
            centre = source[y, x]
            total, weights = centre, 1.0
            for dy in range(-2, 3):
                for dx in range(-2, 3):
                    away = abs(dy) + abs(dx)
                    if not 0 < away <= 2 or not (0 <= y + dy < height and 0 <= x + dx < width):
                        continue
                    value = source[y + dy, x + dx]
                    if abs(centre - value) < UNLIKE:
                        weight = 0.8 if away == 1 else 0.3 if dy and dx else 0.6
                        total += weight * value
                        weights += weight
            result[y, x] = total / weights
