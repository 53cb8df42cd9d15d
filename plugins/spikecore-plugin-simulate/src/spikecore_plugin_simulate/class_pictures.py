"""What the classes look like: photographs from a user's folder, or toy arrangements of shapes, each class its own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeFormatError, UsageError
from spikecore_plugin_simulate.config import Split
from spikecore_plugin_simulate.footage import ImageFolder
from spikecore_plugin_simulate.light import Light
from spikecore_plugin_simulate.render import paint
from spikecore_plugin_simulate.textures import grain

SIDE = 250
"""Rows and columns of U-HSR recordings."""
_DARKEST = 0.12
"""Nothing is darker, so that every pixel fires within 200 frames, as in the real set."""
_SHAPES = 5


def toy_picture(label: int, size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float32]:
    """Five discs and boxes that depend on the class, in front of a pattern that `random` draws: float32 250×250.

    Args:
        label: Class number; classes differ in place, size, shape and grey of everything.
        size: Rows and columns that the shapes keep to.
        random: Draws what differs between items of a class.
    """
    own = np.random.default_rng([label, _SHAPES])
    half = own.uniform(0.08, 0.25, (_SHAPES, 2)) * min(size)
    centre = (SIDE - np.array(size)) / 2 + own.uniform(0.2, 0.8, (_SHAPES, 2)) * size
    angle = own.uniform(0, np.pi, _SHAPES)
    level = (own.permutation(_SHAPES) + own.random(_SHAPES)) / _SHAPES
    jitter = random.normal(0, 2, (_SHAPES, 2))
    shift = random.uniform(0, SIDE, _SHAPES)
    box = own.random(_SHAPES) < 0.5
    columns = [*(centre + jitter).T, *half.T, np.cos(angle), np.sin(angle), box, level, np.full(_SHAPES, 0.05), shift]
    pattern = grain(SIDE, SIDE, random)
    canvas = np.zeros((SIDE, SIDE, 2), np.float32)
    canvas[..., 0] = np.clip(0.4 + 0.08 * pattern, 0, 1)
    paint(canvas, pattern, np.stack(columns, axis=1))
    return _lit(np.asarray(cv2.GaussianBlur(canvas[..., 0], (0, 0), 0.7), np.float32))


class Photographs:
    """Photographs of each class, in folders that bear the classes' names.

    The last of each folder, as large a share as test items are of all items and at least one, serve for tests only.

    Raises:
        SpikeFormatError: If a class has no folder.
        UsageError: If a class has fewer than two photographs.
    """

    def __init__(self, root: Path, names: tuple[str, ...], test_share: float) -> None:
        missing = [name for name in names if not (root / name).is_dir()]
        if missing:
            found = f"no folder for {len(missing)} of {len(names)} classes, first {missing[0]!r}"
            raise SpikeFormatError(root, found, expected="a folder of photographs named after each class")
        self._folders = [ImageFolder.find(root / name) for name in names]
        few = [folder.path for folder in self._folders if len(folder.names) < 2]
        if few:
            raise UsageError(f"{few[0]} holds one photograph; at least two are needed, for training and for tests")
        self._share = test_share

    def picture(
        self, label: int, split: Split, size: tuple[int, int], random: np.random.Generator
    ) -> NDArray[np.float32]:
        """One of them, cropped and scaled to `size` and continued by reflection to 250×250: float32."""
        folder = self._folders[label]
        first_test = min(len(folder.names) - max(round(self._share * len(folder.names)), 1), len(folder.names) - 1)
        names = folder.names[:first_test] if split is Split.TRAIN else folder.names[first_test:]
        one = ImageFolder(folder.path, (names[random.integers(len(names))],))
        picture = Light(one, *size).at(0)
        top, left = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
        edges = (top, SIDE - size[0] - top, left, SIDE - size[1] - left)
        return _lit(np.asarray(cv2.copyMakeBorder(picture, *edges, cv2.BORDER_REFLECT), np.float32))


def _lit(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(_DARKEST + (1 - _DARKEST) * np.clip(picture, 0, 1), np.float32)
