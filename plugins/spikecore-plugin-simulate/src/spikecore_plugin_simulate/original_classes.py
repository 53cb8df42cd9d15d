"""The class generator of SpikeCLIP-SNN as its users know it, faults included.

From its documented behaviour: three toy shapes whatever the class is called; lines of classes a third of the set apart
are the same; photon counts are added as whole thresholds, so that spikes come in bursts; pixels all start empty; the
picture's border of zeros is nearly silent; "px_per_frame" is half the way of the whole recording. Where sizes are not
documented (rectangles, lines), ours are used, so items look like the original's and are not the same.
"""

from __future__ import annotations

from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeStream
from spikecore_plugin_simulate.class_pictures import SIDE
from spikecore_plugin_simulate.config import ClassesConfig

_LEAK = 0.99


@attrs.frozen
class Conditions:
    """Light and motion of one item, drawn from the original's ranges."""

    light: str
    motion: str
    px_per_frame: float
    gain: float
    dark: float
    shot: float
    hot_share: float

    @classmethod
    def random(cls, config: ClassesConfig, random: np.random.Generator) -> Conditions:
        """Draw them."""
        low, fast = random.random() < config.lowlight_ratio, random.random() < config.fast_ratio
        return cls(
            light="low" if low else "normal",
            motion="fast" if fast else "slow",
            px_per_frame=float(random.uniform(2, 5) if fast else random.uniform(0.2, 1)),
            gain=float(random.uniform(0.2, 0.5) if low else random.uniform(0.6, 1.2)),
            dark=float(random.uniform(0.001, 0.004) if low else random.uniform(0.0005, 0.002)),
            shot=float(random.uniform(0.6, 1.0) if low else random.uniform(0.2, 0.6)),
            hot_share=5e-4 if low else 1e-4,
        )


def original_item(
    config: ClassesConfig, label: int, classes: int, random: np.random.Generator, name: str
) -> tuple[SpikeStream, dict[str, Any]]:
    """Spikes of one item, 250×250, and the conditions it was made under."""
    conditions = Conditions.random(config, random)
    latent = original_latent(label, classes, config.image_size)
    picture = np.clip(latent + random.normal(0, 0.05, latent.shape), 0, 1).astype(np.float32)
    top, left = (SIDE - picture.shape[0]) // 2, (SIDE - picture.shape[1]) // 2
    padded = np.zeros((SIDE, SIDE), np.float32)
    padded[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    frames = _spikes(padded, conditions, config.num_frames, random)
    return SpikeStream.from_frames(frames, name=name), {"seed": config.seed, **attrs.asdict(conditions)}


def original_latent(label: int, classes: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """The shape of a class, float32 `size` in [0, 1]: a disc, a rectangle or a diagonal line, blurred."""
    rows, columns = size
    picture = np.zeros(size, np.float32)
    third = classes // 3
    place = label % third
    if label < third:
        centre = (round(columns / 2 + 30 * np.sin(label)), round(rows / 2 + 30 * np.cos(label)))
        cv2.circle(picture, centre, max(10, 30 + label % 15), 0.7, -1)
    elif label < 2 * third:
        corner = (columns // 4 + place, rows // 4 + place)
        cv2.rectangle(picture, corner, (corner[0] + columns // 3, corner[1] + rows // 4), 0.8, -1)
    else:
        cv2.line(picture, (5 * place, 0), (columns - 1, rows - 1 - 5 * place), 0.6, 3)
    return np.asarray(cv2.GaussianBlur(picture, (5, 5), 0), np.float32)


def _spikes(
    picture: NDArray[np.float32], conditions: Conditions, frames: int, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Leaky integrate-and-fire of the picture on its way, (frames, 250, 250)."""
    threshold = np.clip(random.normal(1, 0.05, picture.shape), 0.5, 1.5)
    gain = conditions.gain * random.lognormal(0, 0.25, picture.shape)
    hot = random.random(picture.shape) < conditions.hot_share
    middle, angle = (SIDE - 1) / 2, random.uniform(0, 2 * np.pi)
    turn = cv2.getRotationMatrix2D((middle, middle), random.uniform(-5, 5), random.uniform(0.98, 1.02))
    direction = np.array([np.cos(angle), np.sin(angle)]) * conditions.px_per_frame
    charge = np.zeros(picture.shape)
    fired = np.empty((frames, *picture.shape), np.bool_)
    for t in range(frames):
        moved = np.array(turn, np.float64)
        moved[:, 2] += (2 * t / max(frames - 1, 1) - 1) * direction
        light = gain * cv2.warpAffine(picture, moved, (SIDE, SIDE)) + conditions.dark + hot
        photons = random.poisson(light * conditions.shot) / max(1.0, conditions.shot)
        charge = _LEAK * charge + light + photons
        fired[t] = charge >= threshold
        charge -= fired[t] * threshold
    return fired
