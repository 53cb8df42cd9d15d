"""Pictures as light: cropped, scaled, grey, linear, and as many between two video frames as a camera needs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeFormatError, UsageError
from spikecore_plugin_simulate.config import Grey
from spikecore_plugin_simulate.footage import Footage

_GREY = {Grey.LUMA: cv2.COLOR_BGR2GRAY, Grey.SPIKLING: cv2.COLOR_RGB2GRAY}
_WHITE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(np.float32): 1.0}


@attrs.frozen
class Light:
    """Intensities over time, from footage.

    Pictures are cropped in the middle to the shape wanted, then scaled: by the mean of the pixels they cover where they
    shrink, else bilinear. Between two pictures of the footage lie `interpolate` - 1 linear mixtures, so that n pictures
    make (n - 1) · interpolate + 1. Mixtures show moving edges twice, not in between: at speeds above a pixel or two per
    picture take footage with more pictures.

    Args:
        footage: Where pictures come from.
        height: Rows; the footage's own if None.
        width: Columns; the footage's own if None.
        interpolate: Pictures per picture of the footage.
        length: Pictures at most.
        grey: How colours become grey.
        gamma: Intensity = value ** gamma.
    """

    footage: Footage
    height: int | None = None
    width: int | None = None
    interpolate: int = 1
    length: int | None = None
    grey: Grey = Grey.LUMA
    gamma: float = 1.0

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Pictures, float32 (height, width) in [0, 1]."""
        return islice(self._mixtures(), self.length)

    def at(self, index: int) -> NDArray[np.float32]:
        """Picture number `index`; reads the footage up to it."""
        for picture in islice(iter(self), index, index + 1):
            return picture
        raise UsageError(f"{self.footage.path} has no picture {index}")

    def _mixtures(self) -> Iterator[NDArray[np.float32]]:
        before: NDArray[np.float32] | None = None
        for pixels in self.footage:
            after = self._intensity(pixels)
            if before is not None:
                for part in range(1, self.interpolate):
                    yield before + np.float32(part / self.interpolate) * (after - before)
            yield after
            before = after

    def _intensity(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        values = pixels.astype(np.float32)
        values /= np.float32(_WHITE[pixels.dtype])
        if values.ndim == 3:
            values = np.asarray(cv2.cvtColor(values, _GREY[self.grey]), np.float32)
        low, high = float(values.min()), float(values.max())
        if low < 0 or high > 1.0001:
            raise SpikeFormatError(self.footage.path, f"intensities of {low:g}..{high:g}", expected="0..1")
        height, width = wanted_size(values.shape[:2], self.height, self.width)
        values = scale(values, height, width)
        return np.asarray(np.clip(values, 0, 1) ** np.float32(self.gamma), np.float32)


def wanted_size(size: tuple[int, ...], height: int | None, width: int | None) -> tuple[int, int]:
    """What is said, what is not said so that the shape stays."""
    rows, columns = size
    if height is None and width is None:
        return rows, columns
    return (
        max(round(rows * (width or 0) / columns), 1) if height is None else height,
        max(round(columns * (height or 0) / rows), 1) if width is None else width,
    )


def crop(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """The middle of a picture in the shape of height × width, as large as it can be; margins are rounded to even."""
    rows, columns = pixels.shape[:2]
    ratio = min(columns / width, rows / height)
    left, top = round((columns - width * ratio) / 2), round((rows - height * ratio) / 2)
    return pixels[top : rows - top, left : columns - left]


def scale(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Crop to the shape of height × width, then shrink by area or enlarge bilinearly."""
    part = crop(pixels, height, width)
    if part.shape[:2] == (height, width):
        return part
    shrinks = part.shape[0] >= height and part.shape[1] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=method))
