"""Colours for numbers, and the bar that says which number is which colour."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.plugin.sink import Picture

UNKNOWN = 0.8
"""The grey of pixels whose depth is not known."""
_PANEL, _LEAST_HEIGHT, _TOP, _BOTTOM = 92, 192, 34, 64  # pixels; the bar lies between top and bottom


@attrs.frozen
class Range:
    """The depths between which the colours lie; what is nearer or farther has the colour of that end.

    Args:
        near: Metres, yellow.
        far: Metres, dark violet.
        origin: Where it comes from, as two short lines.
    """

    near: float
    far: float
    origin: tuple[str, str]


def _viridis() -> Picture:
    """The 256 colours (256, 3): as even to the eye in steps as depth is in metres, also without red or green sight."""
    import cv2

    colours = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)
    return np.asarray(colours[:, 0, ::-1] / np.float32(255), np.float32)


def paint(plane: NDArray[np.float32], shown: Range | None) -> Picture:
    """A picture (H', W', 3) of a plane (H, W), enlarged if it is low, with the bar at its right."""
    times = math.ceil(_LEAST_HEIGHT / plane.shape[0])
    plane = plane.repeat(times, 0).repeat(times, 1)
    colours = np.full((*plane.shape, 3), UNKNOWN, np.float32)
    known = np.isfinite(plane)
    if shown is not None:
        nearness = np.clip((shown.far - plane[known]) / (shown.far - shown.near), 0, 1)
        colours[known] = _viridis()[np.rint(255 * nearness).astype(np.intp)]
    return np.hstack([colours, _panel(plane.shape[0], shown)])


def _panel(height: int, shown: Range | None) -> Picture:
    """The bar, far at the top, with its numbers, the grey of the unknown, and where the range comes from."""
    panel = np.zeros((height, _PANEL, 3), np.uint8)
    _text(panel, "depth in m", 18)
    if shown is not None:
        top, bottom = _TOP, height - _BOTTOM
        bar = _viridis()[np.linspace(0, 255, bottom - top).astype(np.intp)]
        panel[top - 1 : bottom + 1, 5:25] = 255
        panel[top:bottom, 6:24] = np.rint(255 * bar)[:, None]
        places = max(0, min(3, 2 - math.floor(math.log10(shown.far - shown.near))))
        count = 5 if height < 400 else 9
        for depth, row in zip(
            np.linspace(shown.far, shown.near, count), np.linspace(top, bottom - 1, count), strict=True
        ):
            panel[round(row), 24:29] = 255
            _text(panel, f"{depth:.{places}f}", round(row) + 4, 33)
    panel[height - 47 : height - 37, 5:25] = round(255 * UNKNOWN)
    _text(panel, "unknown", height - 38, 33)
    for line, row in zip(shown.origin if shown is not None else ("no depth", "is known"), (20, 6), strict=True):
        _text(panel, line, height - row)
    return np.asarray(panel / np.float32(255), np.float32)


def _text(panel: NDArray[np.uint8], text: str, row: int, column: int = 5) -> None:
    import cv2

    cv2.putText(panel, text, (column, row), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
