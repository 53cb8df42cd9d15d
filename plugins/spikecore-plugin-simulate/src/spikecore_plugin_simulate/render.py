"""Drawing textured planes: every pixel looks its texture up at the place where its ray meets the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikecore_plugin_simulate.compiled import compiled

_OPAQUE = 1e-3
"""A pixel that lets less light than this through is done."""


@compiled
def render(textures: Any, maps: Any, image: Any) -> None:
    """Draw planes in front of each other, the nearest first.

    Args:
        textures: float32 (planes, rows + 1, columns + 1, 2): intensity times cover, and cover; periodic, so that the last
            row and column repeat the first ones.
        maps: float64 (planes, 2, 3): texture column and row = map · (pixel column, pixel row, 1).
        image: float32 (height, width), written; bilinear in each texture.
    """
    rows, columns = textures.shape[1] - 1, textures.shape[2] - 1
    height, width = image.shape
    through = np.empty(width, np.float32)
    for row in range(height):
        image[row] = 0
        through[:] = 1
        for plane in range(textures.shape[0]):
            step_x, step_y = maps[plane, 0, 0], maps[plane, 1, 0]
            x = (maps[plane, 0, 1] * row + maps[plane, 0, 2]) % columns
            y = (maps[plane, 1, 1] * row + maps[plane, 1, 2]) % rows
            for column in range(width):
                if through[column] > _OPAQUE:
                    i, j = min(int(y), rows - 1), min(int(x), columns - 1)
                    v, u = np.float32(y - i), np.float32(x - j)
                    cover = mixture(textures, plane, i, j, 1, v, u)
                    if cover > 0:
                        image[row, column] += through[column] * mixture(textures, plane, i, j, 0, v, u)
                        through[column] *= 1 - cover
                x = wrapped(x + step_x, columns)
                y = wrapped(y + step_y, rows)


@compiled
def mixture(textures: Any, plane: int, i: int, j: int, channel: int, v: Any, u: Any) -> Any:
    """Bilinear mixture of four texels, v of the way from row i to i + 1 and u from column j to j + 1."""
    upper = textures[plane, i, j, channel] * (1 - u) + textures[plane, i, j + 1, channel] * u
    lower = textures[plane, i + 1, j, channel] * (1 - u) + textures[plane, i + 1, j + 1, channel] * u
    return upper * (1 - v) + lower * v


@compiled
def wrapped(place: float, period: int) -> float:
    """A place that left 0..period by less than a period."""
    if place >= period:
        return place - period
    return place + period if place < 0 else place


@compiled
def paint(canvas: Any, grain: Any, leaves: Any) -> None:
    """Paint leaves on a periodic canvas, the later ones over the earlier ones.

    Args:
        canvas: float32 (rows, columns, 2): intensity times cover, and cover.
        grain: float32 (rows, columns): a pattern around 0, seen inside leaves.
        leaves: float64 (leaves, 10): centre row and column, half axes, cosine and sine of the angle, 1 for boxes and 0
            for ellipses, grey level, strength of the grain, shift of the grain in rows and columns.
    """
    rows, columns = grain.shape
    for leaf in range(len(leaves)):
        centre_y, centre_x, half_y, half_x, cosine, sine, box, level, strength, shift = leaves[leaf]
        reach = int((1.42 if box else 1.0) * max(half_y, half_x)) + 2
        top, left = int(centre_y) - reach, int(centre_x) - reach
        for row in range(top, top + 2 * reach + 1):
            y = row - centre_y
            i = row % rows
            for column in range(left, left + 2 * reach + 1):
                x = column - centre_x
                along, across = cosine * x + sine * y, cosine * y - sine * x
                if box:
                    inside = min(half_x - abs(along), half_y - abs(across))
                else:
                    radius = np.sqrt((along / half_x) ** 2 + (across / half_y) ** 2)
                    inside = (1 - radius) * min(half_x, half_y)
                cover = np.float32(min(max(inside + 0.5, 0.0), 1.0))
                if cover > 0:
                    j = column % columns
                    seen = grain[(row + int(shift)) % rows, (column + int(shift)) % columns]
                    value = np.float32(min(max(level + strength * seen, 0.0), 1.0))
                    canvas[i, j, 0] += cover * (value - canvas[i, j, 0])
                    canvas[i, j, 1] += cover * (1 - canvas[i, j, 1])
