"""simulate/classes: recordings with class labels, as SpikeCLIP's U-CIFAR and U-CALTECH sets have them.

Imitates what was measured on the real set: about 0.03 spikes per pixel and frame, no silent pixels, nearly no shot
noise (intervals of a pixel vary by some hundredths), a fixed pattern of 5 to 8 %, drift of some hundredths of a pixel
per frame.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore import Sample
from spikecore_plugin_simulate.camera import SpikeCamera
from spikecore_plugin_simulate.class_pictures import SIDE, Photographs, toy_picture
from spikecore_plugin_simulate.config import ClassesConfig, SpikeCameraOptions, Split
from spikecore_plugin_simulate.labels import NAMES
from spikecore_plugin_simulate.motion import Motion
from spikecore_plugin_simulate.original_classes import original_item
from spikecore_plugin_simulate.world import World

RATES = {"normal": (0.05, 0.08), "low": (0.03, 0.05)}
"""Spikes per frame in white, in normal and in low light."""
SPEEDS = {"slow": (0.01, 0.05), "fast": (0.05, 0.3)}
"""Pixels per frame."""
_DARK = (0.004, 0.006)


class Classes:
    """Items in order of class: `num_train` (or `num_test`) of each, the label being the class number.

    Item `index` depends on the seed, the split and the index only.
    """

    def __init__(self, config: ClassesConfig) -> None:
        self.config = config
        self.names = NAMES[config.dataset]
        self._each = config.num_train if config.split is Split.TRAIN else config.num_test
        share = config.num_test / (config.num_train + config.num_test)
        self._photographs = Photographs(config.images, self.names, share) if config.images else None

    def __len__(self) -> int:
        return len(self.names) * self._each

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"there are items 0..{len(self) - 1}, not {index}")
        config = self.config
        label = index // self._each
        key = f"{config.dataset.value}-{config.split.value}-{config.seed}-{index}"
        random = np.random.default_rng([config.seed, list(Split).index(config.split), index])
        said: dict[str, Any] = {"key": key, "label": label, "text": self.names[label], "at": config.num_frames // 2}
        if config.original:
            stream, meta = original_item(config, label, len(self.names), random, key)
            return Sample(spikes=stream, meta=meta, **said)
        light, motion = self._conditions(random)
        rate = float(random.uniform(*RATES[light]))
        world = self._world(label, motion, random)
        options = SpikeCameraOptions(
            photons=config.photons, threshold_spread=config.threshold_spread, dark=float(random.uniform(*_DARK))
        )
        stream = SpikeCamera(options, SIDE, SIDE, rate, random).record(
            world.images(np.arange(float(config.num_frames))), key
        )
        meta = {"rate": rate, "seed": config.seed, "light": light, "motion": motion}
        return Sample(spikes=stream, target={"image": world.image(config.num_frames // 2)[None]}, meta=meta, **said)

    def _conditions(self, random: np.random.Generator) -> tuple[str, str]:
        light = "low" if random.random() < self.config.lowlight_ratio else "normal"
        return light, "fast" if random.random() < self.config.fast_ratio else "slow"

    def _world(self, label: int, motion: str, random: np.random.Generator) -> World:
        """A picture of the class, a little turned and scaled, that drifts through the middle at the middle frame."""
        config = self.config
        if self._photographs:
            picture = self._photographs.picture(label, config.split, config.image_size, random)
        else:
            picture = toy_picture(label, config.image_size, random)
        middle = (SIDE - 1) / 2
        turn = cv2.getRotationMatrix2D((middle, middle), random.uniform(-5, 5), random.uniform(0.98, 1.02))
        turned = np.asarray(cv2.warpAffine(picture, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT), np.float32)
        angle, speed = random.uniform(0, 2 * np.pi), random.uniform(*SPEEDS[motion])
        way = speed * np.array([np.cos(angle), np.sin(angle), 0.0, 0.0])
        still = np.zeros((1, 3))
        return World(
            SIDE,
            SIDE,
            _mirrored(turned)[None],
            1.0,
            np.ones(1),
            middle - way[None, :2] * (config.num_frames // 2),
            Motion(way, np.zeros(4), np.ones(4), np.zeros(4)),
            Motion(still, still, still + 1, still),
        )


def _mirrored(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """A texture that goes on without a seam: the picture, its mirror images, and cover 1."""
    tile = np.pad(picture, ((0, SIDE), (0, SIDE)), mode="symmetric")
    tile = np.pad(tile, ((0, 1), (0, 1)), mode="wrap")
    return np.stack([tile, np.ones_like(tile)], axis=-1)
