"""Textures with the statistics of natural images: leaves over a pattern with a power-law spectrum.

Dead leaves: discs and boxes that hide each other, radii r with density ~ r^-3, which makes pictures look alike at every
scale (Lee, Mumford, Huang, "Occlusion Models for Natural Images", IJCV 2001).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore_plugin_simulate.render import paint

_DARKEST = 0.03
"""No surface is perfectly black."""
_DENSITY = 2.0
"""Area of all leaves of a texture without holes, in units of its own."""
_LARGEST = 0.22
"""Half axis of the largest leaf, in units of the shorter side."""


def grain(rows: int, columns: int, random: np.random.Generator) -> NDArray[np.float32]:
    """A periodic pattern with amplitude ~ 1 / frequency: float32 (rows, columns), mean 0, standard deviation 1."""
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None] * rows, np.fft.rfftfreq(columns)[None] * columns)
    frequency[0, 0] = np.inf
    noise = random.standard_normal((2, *frequency.shape), np.float32)
    spectrum = (noise[0] + 1j * noise[1]) / frequency.astype(np.float32)
    pattern = np.fft.irfft2(spectrum, s=(rows, columns))
    return np.asarray(pattern / pattern.std(), np.float32)


def texture(
    pattern: NDArray[np.float32], cover: float, smallest: float, blur: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """One plane's texture.

    Args:
        pattern: From `grain`; its size is the texture's.
        cover: Share of the plane that leaves cover, below 1; or 1 for a plane without holes.
        smallest: Half axis of the smallest leaf, in texels.
        blur: Standard deviation of the optics, in texels.
        random: Draws the leaves.

    Returns:
        float32 (rows + 1, columns + 1, 2) as `render` takes it: intensity in [0.03, 1] times cover, and cover.
    """
    canvas = np.zeros((*pattern.shape, 2), np.float32)
    if cover >= 1:
        level, strength = random.uniform(0.2, 0.6), random.uniform(0.05, 0.2)
        canvas[..., 0] = np.clip(level + strength * pattern, 0, 1)
        canvas[..., 1] = 1
    paint(canvas, pattern, _leaves(pattern.shape, cover, smallest, random))
    canvas[..., 0] *= 1 - _DARKEST
    canvas[..., 0] += _DARKEST * canvas[..., 1]
    return _finish(canvas, blur)


def _leaves(shape: tuple[int, ...], cover: float, smallest: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Leaves as `paint` takes them; small shares of cover are made of few large leaves, as objects are."""
    rows, columns = shape
    largest = max(_LARGEST * min(rows, columns), smallest + 1)
    least = smallest if cover >= 1 else max(smallest, largest / 3)
    area = np.pi * 2 * np.log(largest / least) / (least**-2 - largest**-2)  # mean of π r² for density ~ r^-3
    wanted = _DENSITY if cover >= 1 else -np.log1p(-cover)  # share left uncovered by leaves at random: exp(-area)
    count = max(round(wanted * rows * columns / area), 1)
    radius = (least**-2 - random.random(count) * (least**-2 - largest**-2)) ** -0.5
    aspect = random.uniform(0.4, 1, count)
    angle = random.uniform(0, np.pi, count)
    return np.stack(
        [
            random.uniform(0, rows, count),
            random.uniform(0, columns, count),
            np.maximum(radius * aspect, 1),
            radius,
            np.cos(angle),
            np.sin(angle),
            random.random(count) < 0.4,
            random.random(count) ** 1.5,
            random.uniform(0.0, 0.12, count),
            random.uniform(0, min(rows, columns), count),
        ],
        axis=1,
    )


def _finish(canvas: NDArray[np.float32], blur: float) -> NDArray[np.float32]:
    """Blur a periodic canvas and repeat its first row and column at the end."""
    edge = int(np.ceil(3 * blur)) + 1
    wide = cv2.copyMakeBorder(canvas, edge, edge, edge, edge, cv2.BORDER_WRAP)
    wide = cv2.GaussianBlur(wide, (0, 0), blur)
    return np.ascontiguousarray(wide[edge : edge + canvas.shape[0] + 1, edge : edge + canvas.shape[1] + 1])
