"""Pictures side by side, each under its name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import UsageError
from spikecore.plugin.sink import Picture

_BAR = 22


def grid(pictures: Mapping[str, Picture], columns: int | None = None) -> Picture:
    """One picture (rows·(H + bar), columns·W) of pictures (H, W[, C]) in [0, 1], each under a bar with its caption.

    Colours become grey. Smaller pictures are shown as large as the largest.

    Raises:
        UsageError: If there are none.
    """
    if not pictures:
        raise UsageError("there are no pictures to put side by side")
    shown = _of_one_size({name: _grey(picture) for name, picture in pictures.items()})
    height, width = next(iter(shown.values())).shape
    columns = columns or min(len(shown), 3)
    captioned = [np.vstack([_caption(name, width), picture]) for name, picture in shown.items()]
    blank = np.zeros((height + _BAR, width), np.float32)
    captioned += [blank] * (-len(captioned) % columns)
    return np.vstack([np.hstack(captioned[row : row + columns]) for row in range(0, len(captioned), columns)])


def comparison(pictures: Mapping[str, Picture], truth: Picture | None) -> Picture:
    """Pictures side by side; with the ground truth, it comes last and a second row shows where each errs.

    An error map is 4·|picture - truth|, so black is right; its caption holds the mean error. Where sizes differ, these
    are differences of the pictures as shown: the smaller ones enlarged, pixel by pixel.
    """
    shown = {name: _grey(picture) for name, picture in pictures.items()}
    if truth is None:
        return grid(shown, columns=len(shown))
    truth = _grey(truth)
    *enlarged, ideal = _of_one_size({**shown, "ground truth": truth}).values()
    errors = {f"error of {name}": np.abs(one - ideal) for name, one in zip(shown, enlarged, strict=True)}
    captions = {f"{name} (x4): {float(error.mean()):.4f}": np.clip(4 * error, 0, 1) for name, error in errors.items()}
    return grid({**shown, "ground truth": truth, **captions}, columns=len(shown) + 1)


def _of_one_size(pictures: Mapping[str, Picture]) -> dict[str, Picture]:
    """All pictures (H, W) with the height of the highest and the width of the widest."""
    height, width = np.max([picture.shape for picture in pictures.values()], axis=0)
    return {
        name: picture[_stretch(picture.shape[0], height)][:, _stretch(picture.shape[1], width)]
        for name, picture in pictures.items()
    }


def _stretch(length: int, wanted: int) -> NDArray[np.intp]:
    """Which of `length` pixels to show at each of `wanted` places."""
    return np.arange(wanted) * length // wanted


def _grey(picture: Picture) -> Picture:
    if picture.ndim == 2:
        return picture
    if picture.shape[-1] != 3:  # channels that are no colours
        return np.asarray(picture.mean(axis=-1), np.float32)
    return np.asarray(picture @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def _caption(text: str, width: int) -> Picture:
    import cv2

    bar = np.zeros((_BAR, width), np.uint8)
    scale = 0.45
    while scale > 0.2 and cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0] > width - 6:
        scale -= 0.03
    cv2.putText(bar, text, (4, _BAR - 7), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA)
    return bar.astype(np.float32) / np.float32(255)
