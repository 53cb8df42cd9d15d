"""A generated world: textured planes at known distances, seen by a moving camera; exact at any instant.

Geometry: plane k lies at distance Z_k, facing the camera; the camera has come forward by c(t). A pixel at u from the
centre sees, on plane k and in pixels of that plane,

    w = p(t) · Z_far / Z_k + f·b / Z_k · R · (1, 0) + (Z_k - c) / Z_k · R · u

with R the camera's roll, p its way in pixels of the farthest plane, and b its place to the right (0, or the baseline
for the right camera of a pair) with focal length f: a disparity of f·b / (Z_k - c). Planes move and turn on their own
besides.
"""

from __future__ import annotations

from collections.abc import Iterator
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
"""Texels per pixel. Optics that blur by half a pixel leave little above the pixels' Nyquist frequency."""
_PERIOD = 1.25
"""A texture repeats after this many pictures."""
_LEAVES = 4.0
"""The smallest leaves of a plane measure from one pixel to this many."""
_NEARING = 0.4
"""Largest logarithm of the nearest plane's growth, so that textures stay fine and coarse enough."""
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
        sharpest, softest = options.blur
        blur = _TEXELS * (random.uniform(sharpest, softest) if sharpest < softest else softest)
        covers = np.append(random.uniform(0.1, 0.35, layers - 1), 1.0)
        smallest = _TEXELS * _LEAVES ** random.random(layers)
        planes = [texture(pattern, *plane, blur, random) for plane in zip(covers, smallest, strict=True)]
        textures = np.stack(planes)
        _expose(textures, random.uniform(*options.exposure), random.uniform(*options.contrast))
        place = random.random((layers, 2)) * (columns, rows)
        return cls(height, width, textures, _TEXELS, distance, place, camera, objects)

    def image(self, t: float, shift: float = 0.0) -> NDArray[np.float32]:
        """Intensity at time `t` in frames, a fraction if need be: float32 (height, width) in [0, 1].

        Args:
            t: The instant.
            shift: Focal length × baseline (pixels × metres) that the camera stands to the right.
        """
        return next(iter(self.images(np.array([t]), shift))).copy()

    def images(self, times: NDArray[np.float64], shift: float = 0.0) -> Iterator[NDArray[np.float32]]:
        """Intensity at each of `times`; always the same array, written anew."""
        picture = np.empty((self.height, self.width), np.float32)
        for maps in self.maps(times, shift):
            render(self.textures, maps, picture)
            yield picture

    def maps(self, times: NDArray[np.float64], shift: float = 0.0) -> NDArray[np.float64]:
        """Where each plane is looked up at each time, float64 (times, planes, 2, 3), as `render` takes it."""
        pose, moved = self.camera.at(times), self.objects.at(times)
        turn = _rotation(pose[:, None, 2])
        parallax = self.distance[-1] / self.distance
        way = parallax[:, None] * pose[:, None, :2] + (shift / self.distance)[:, None] * turn[..., 0]
        own = self.texels * _rotation(moved[..., 2])
        maps = np.empty((*moved.shape[:2], 2, 3))
        scale = (self.distance - self._forward(pose)) / self.distance
        maps[..., :2] = scale[..., None, None] * (own @ turn)
        centre = np.array([(self.width - 1) / 2, (self.height - 1) / 2])
        offset = (own @ (way - moved[..., :2])[..., None])[..., 0]
        maps[..., 2] = self.place + offset - maps[..., :2] @ centre
        return maps

    def depth(self, t: float) -> NDArray[np.float32]:
        """Distance of what each pixel shows at time `t`, float32 (height, width), metres."""
        distance = self.distance - self._forward(self.camera.at(np.array([t])))[0]
        return np.asarray(distance.astype(np.float32)[self.planes(t)])

    def flow(self, t: float) -> NDArray[np.float32]:
        """How fast what each pixel shows moves at time `t`: float32 (2, height, width), pixels per frame, x then y."""
        before, here, after = _square(self.maps(np.array([t - 0.5, t, t + 0.5])))
        moved = np.linalg.inv(after) @ here - np.linalg.inv(before) @ here
        grid = np.meshgrid(np.arange(self.width), np.arange(self.height))
        each = np.einsum("lij,jyx->liyx", moved[:, :2], np.stack([*grid, np.ones_like(grid[0])]))
        return np.asarray(np.take_along_axis(each, self.planes(t)[None, None], axis=0)[0], np.float32)

    def planes(self, t: float) -> NDArray[np.int64]:
        """Number of the plane that each pixel shows, (height, width); at soft edges the nearest that covers half."""
        (maps,) = self.maps(np.array([t]))
        nearest = np.full((self.height, self.width), len(maps) - 1)
        cover = np.empty((self.height, self.width), np.float32)
        for plane in reversed(range(len(maps) - 1)):
            silhouette = np.ascontiguousarray(self.textures[plane : plane + 1, :, :, [1, 1]])
            render(silhouette, maps[plane : plane + 1], cover)
            nearest[cover > 0.5] = plane
        return nearest

    def _forward(self, pose: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metres that the camera has come forward, (times, 1); never as far as the nearest plane."""
        return np.asarray(self.distance[0] * (1 - np.exp(-pose[:, 3:])))


def _motions(options: SceneOptions, random: np.random.Generator) -> tuple[Motion, Motion]:
    """How the camera and the planes move; the farthest plane stands still."""

    def one(bounds: tuple[float, float], count: int) -> NDArray[np.float64]:
        return np.asarray(random.uniform(*bounds, count) * random.choice((-1.0, 1.0), count))

    angle = random.uniform(0, 2 * np.pi, options.layers)
    speed = random.uniform(*options.speed)
    direction = random.uniform(0, 2 * np.pi)
    roll = np.radians(one(options.rotation, 1)[0])
    way = np.array([speed * np.cos(direction), speed * np.sin(direction), roll, 0.0])
    camera = Motion.random(way, 0.7, random)
    zoom = Motion.random(np.array([one(options.zoom, 1)[0]]), 0.0, random)  # swings, as no plane may be passed
    zoom = attrs.evolve(zoom, sway=np.clip(zoom.sway, -_NEARING, _NEARING))
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


def _rotation(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation matrices (..., 2, 2) for (column, row)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    rotation = np.stack([cosine, -sine, sine, cosine], axis=-1)
    return rotation.reshape(*angle.shape, 2, 2)


def _square(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Affine maps (..., 2, 3) as (..., 3, 3)."""
    last = np.broadcast_to([0.0, 0.0, 1.0], (*maps.shape[:-2], 1, 3))
    return np.concatenate([maps, last], axis=-2)
