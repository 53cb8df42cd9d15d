"""A generated world: textured planes at known distances, seen by a moving camera; exact at any instant.

Geometry: plane k lies at distance Z_k, facing the camera; the camera has come forward by c(t). A pixel at u from the
centre sees, on plane k and in pixels of that plane,

    w = (p(t) + f·b·e) · Z_far / Z_k ... + (Z_k - c) / Z_k · R(roll) · u

with p the camera's way in pixels of the farthest plane. Moving planes add a shift and a turn of their own. For the right
camera of a stereo pair the camera is one baseline b further along its own rows: a disparity of f·b / (Z_k - c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore_plugin_simulate.motion import Motion
from spikecore_plugin_simulate.render import render
from spikecore_plugin_simulate.textures import grain, texture

if TYPE_CHECKING:
    from spikecore_plugin_simulate.config import SceneOptions

_TEXELS = 2.0
"""Texels per pixel. The optics blur by half a pixel, so that what is left above the pixels' Nyquist frequency is faint."""
_BLUR = 0.5
_PERIOD = 1.25
"""A texture repeats after this many pictures."""
_MIDDLE = 0.4
"""The grey that contrast is counted from."""


@attrs.frozen(eq=False)
class World:
    """Planes, the nearest first, and how they and the camera move.

    Args:
        height: Rows of the picture.
        width: Columns of the picture.
        textures: float32 (planes, rows + 1, columns + 1, 2), see `render`.
        texels: Texels per pixel of a plane.
        distance: float64 (planes,), metres, increasing.
        place: float64 (planes, 2): texture column and row in the middle of the picture before anything moves.
        camera: Motion of (column, row) in pixels of the farthest plane, of roll in radians, and of log zoom, (4,).
        objects: Motion of (column, row) in pixels and of the angle in radians, (planes, 3).
    """

    height: int
    width: int
    textures: NDArray[np.float32]
    texels: float
    distance: NDArray[np.float64]
    place: NDArray[np.float64]
    camera: Motion
    objects: Motion

    @classmethod
    def random(cls, options: SceneOptions, height: int, width: int, random: np.random.Generator) -> World:
        """Draw a world; the same generator state gives the same world."""
        layers = options.layers
        near, far = options.distance
        distance = np.sort(near * (far / near) ** random.random(layers))
        distance[-1] = far
        camera, objects = _motions(options, random)
        rows, columns = _size(height), _size(width)
        pattern = grain(rows, columns, random)
        blur = _BLUR * _TEXELS
        covers = np.append(random.uniform(0.1, 0.35, layers - 1), 1.0)
        textures = np.stack([texture(pattern, cover, _TEXELS, blur, random) for cover in covers])
        _expose(textures, random.uniform(*options.exposure), random.uniform(*options.contrast))
        place = random.random((layers, 2)) * (columns, rows)
        return cls(height, width, textures, _TEXELS, distance, place, camera, objects)

    def image(self, t: float, shift: float = 0.0, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Intensity at time `t` in frames, float32 (height, width) in [0, 1].

        Args:
            t: The instant, a fraction of a frame if need be.
            shift: Pixels times metres (focal length × baseline) that the camera stands to the right.
            out: Where to write it.
        """
        picture = np.empty((self.height, self.width), np.float32) if out is None else out
        render(self.textures, self.maps(t, shift), picture)
        return picture

    def maps(self, t: float, shift: float = 0.0) -> NDArray[np.float64]:
        """Where each plane is looked up, float64 (planes, 2, 3), as `render` takes it."""
        column, row, roll, _ = self.camera.at(t)
        moved = self.objects.at(t)
        turn = _rotation(roll)
        parallax = self.distance[-1] / self.distance
        way = parallax[:, None] * (column, row) + (shift / self.distance)[:, None] * turn[:, 0]
        own = self.texels * _rotation(moved[:, 2])
        maps = np.empty((len(self.distance), 2, 3))
        scale = (self.distance - self._forward(t)) / self.distance
        maps[:, :, :2] = scale[:, None, None] * (own @ turn)
        centre = ((self.width - 1) / 2, (self.height - 1) / 2)
        offset = (own @ (way - moved[:, :2])[:, :, None])[:, :, 0]
        maps[:, :, 2] = self.place + offset - maps[:, :, :2] @ centre
        return maps

    def depth(self, t: float) -> NDArray[np.float32]:
        """Distance of what each pixel shows at time `t`, float32 (height, width), metres."""
        distance = (self.distance - self._forward(t)).astype(np.float32)
        return distance[self.planes(t)]

    def flow(self, t: float) -> NDArray[np.float32]:
        """How fast what each pixel shows moves at time `t`: float32 (2, height, width), pixels per frame, x then y."""
        here, before, after = self.maps(t), self.maps(t - 0.5), self.maps(t + 0.5)
        moved = np.linalg.inv(_square(after)) @ _square(here) - np.linalg.inv(_square(before)) @ _square(here)
        pixels = np.stack([*np.meshgrid(np.arange(self.width), np.arange(self.height)), np.ones((self.height, self.width))])
        each = np.einsum("lij,jyx->liyx", moved[:, :2], pixels)
        rows, columns = np.ogrid[: self.height, : self.width]
        return np.stack([each[self.planes(t), axis, rows, columns] for axis in (0, 1)]).astype(np.float32)

    def planes(self, t: float) -> NDArray[np.int64]:
        """Number of the plane that each pixel shows, (height, width); at soft edges the nearest that covers half."""
        maps = self.maps(t)
        nearest = np.full((self.height, self.width), len(maps) - 1)
        cover = np.empty((self.height, self.width), np.float32)
        for plane in reversed(range(len(maps) - 1)):
            silhouette = np.ascontiguousarray(self.textures[plane : plane + 1, :, :, [1, 1]])
            render(silhouette, maps[plane : plane + 1], cover)
            nearest[cover > 0.5] = plane
        return nearest

    def _forward(self, t: float) -> float:
        """Metres that the camera has come forward; never as far as the nearest plane."""
        return float(self.distance[0] * (1 - np.exp(-self.camera.at(t)[3])))


def _motions(options: SceneOptions, random: np.random.Generator) -> tuple[Motion, Motion]:
    """How the camera and the planes move; the farthest plane stands still."""

    def one(bounds: tuple[float, float], count: int) -> NDArray[np.float64]:
        return random.uniform(*bounds, count) * random.choice((-1.0, 1.0), count)

    angle = random.uniform(0, 2 * np.pi, options.layers)
    speed = random.uniform(*options.speed)
    direction = random.uniform(0, 2 * np.pi)
    roll = np.radians(one(options.rotation, 1)[0])
    way = np.array([speed * np.cos(direction), speed * np.sin(direction), roll, 0.0])
    camera = Motion.random(way, 0.7, random)
    zoom = Motion.random(np.array([one(options.zoom, 1)[0]]), 0.0, random)  # swings, as no plane may be passed
    joined = [np.append(a[:3], b) for a, b in zip(attrs.astuple(camera), attrs.astuple(zoom), strict=True)]
    own = random.uniform(*options.object_speed, options.layers)
    turning = np.radians(one(options.rotation, options.layers))
    largest = np.stack([own * np.cos(angle), own * np.sin(angle), turning], axis=1)
    largest[-1] = 0
    return Motion(*joined), Motion.random(largest, 0.7, random)


def _size(pixels: int) -> int:
    """Texels of a period: a multiple of 16, which Fourier transforms are quick at."""
    return int(-(-_TEXELS * _PERIOD * pixels // 16) * 16)


def _expose(textures: NDArray[np.float32], exposure: float, contrast: float) -> None:
    """Intensity v becomes exposure · (m + contrast · (v - m)), m a middle grey."""
    textures[..., 0] *= exposure * contrast
    textures[..., 0] += np.float32(exposure * (1 - contrast) * _MIDDLE) * textures[..., 1]


def _rotation(angle: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation matrices (..., 2, 2) for (column, row)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.moveaxis(np.array([[cosine, -sine], [sine, cosine]]), (0, 1), (-2, -1))


def _square(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Affine maps (planes, 2, 3) as (planes, 3, 3)."""
    last = np.broadcast_to([0.0, 0.0, 1.0], (len(maps), 1, 3))
    return np.concatenate([maps, last], axis=1)
