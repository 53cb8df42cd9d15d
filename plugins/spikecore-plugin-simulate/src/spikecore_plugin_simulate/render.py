"""Drawing textured planes: every pixel looks its texture up at the place where its ray meets the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikecore.kernels.compiled import compiled


@compiled
def render(textures: Any, maps: Any, image: Any) -> None:
    """Draw planes in front of each other, the nearest first, the last one without holes.

    Args:
        textures: float32 (planes, rows + 1, columns + 1, 2): intensity times cover, and cover; periodic, so that the
            last row and column repeat the first ones.
        maps: float64 (planes, 2, 3): texture column and row = map · (pixel column, pixel row, 1).
        image: float32 (height, width), written; bilinear in each texture.
    """
    width = image.shape[1]
    first, across, down = np.empty(width, np.int32), np.empty(width, np.float32), np.empty(width, np.float32)
    through = np.empty(width, np.float32)
    for row in range(len(image)):
        image[row] = 0
        through[:] = 1
        for plane in range(len(textures)):
            texture = textures[plane]
            locate(maps[plane], row, texture.shape[0] - 1, texture.shape[1] - 1, first, across, down)
            last = plane == len(textures) - 1
            blend(texture.reshape(-1), 2 * texture.shape[1], first, across, down, last, image[row], through)


@compiled
def locate(place: Any, row: int, rows: int, columns: int, first: Any, across: Any, down: Any) -> None:
    """Where a row of pixels is found in a periodic texture: position of the texel up left, and the way to the next."""
    x = np.float32((place[0, 1] * row + place[0, 2]) % columns)
    y = np.float32((place[1, 1] * row + place[1, 2]) % rows)
    step_x, step_y = np.float32(place[0, 0]), np.float32(place[1, 0])
    per_column, per_row = np.float32(1) / np.float32(columns), np.float32(1) / np.float32(rows)
    zero, stride = np.int32(0), np.int32(2 * columns + 2)
    for column in range(first.size):
        u = x + step_x * np.float32(column)
        v = y + step_y * np.float32(column)
        u -= np.float32(columns) * np.floor(u * per_column)
        v -= np.float32(rows) * np.floor(v * per_row)
        j = max(min(np.int32(u), np.int32(columns - 1)), zero)  # rounding may leave the period by a hair
        i = max(min(np.int32(v), np.int32(rows - 1)), zero)
        across[column] = u - np.float32(j)
        down[column] = v - np.float32(i)
        first[column] = i * stride + np.int32(2) * j


@compiled
def blend(texels: Any, stride: int, first: Any, across: Any, down: Any, last: bool, image: Any, through: Any) -> None:
    """Add what a row of pixels sees of one plane through those in front, and dim the light that comes `through`.

    Positions are unsigned, which spares a look whether they count from the end.
    """
    for column in range(first.size):
        upper = np.uint64(first[column])
        lower = upper + np.uint64(stride)
        u, v = across[column], down[column]
        light = through[column]
        image[column] += light * mixture(texels, upper, lower, u, v)
        if not last:
            through[column] = light * (1 - mixture(texels, upper + np.uint64(1), lower + np.uint64(1), u, v))


@compiled
def mixture(texels: Any, upper: Any, lower: Any, u: Any, v: Any) -> Any:
    """Bilinear mixture of two texels and those right of them, u of the way right and v of the way down."""
    above = texels[upper] + u * (texels[upper + np.uint64(2)] - texels[upper])
    below = texels[lower] + u * (texels[lower + np.uint64(2)] - texels[lower])
    return above + v * (below - above)


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
