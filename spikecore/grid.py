"""Pictures side by side, each under its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import SpikeFormatError, UsageError

Picture = NDArray[np.float32]
_BAR = 22


def grid(pictures: Mapping[str, Picture], columns: int | None = None) -> Picture:
    """One picture (rows·(H + bar), columns·W) of pictures (H, W) in [0, 1], each under a bar with its caption.

    Raises:
        UsageError: If there are none or they differ in size.
    """
    sizes = {picture.shape for picture in pictures.values()}
    if len(sizes) != 1:
        raise UsageError(f"pictures side by side must have one size, got {sorted(sizes) or 'none'}")
    height, width = sizes.pop()
    columns = columns or min(len(pictures), 3)
    captioned = [np.vstack([_caption(name, width), picture]) for name, picture in pictures.items()]
    blank = np.zeros((height + _BAR, width), np.float32)
    captioned += [blank] * (-len(captioned) % columns)
    return np.vstack([np.hstack(captioned[row : row + columns]) for row in range(0, len(captioned), columns)])


def comparison(pictures: Mapping[str, Picture], truth: Picture | None) -> Picture:
    """Pictures side by side; with the ground truth, it comes last and a second row shows where each errs.

    An error map is 4·|picture - truth|, so black is right; its caption holds the mean error.
    """
    shown = {name: _grey(picture) for name, picture in pictures.items()}
    if truth is None:
        return grid(shown, columns=len(shown))
    errors = {f"error of {name}": np.abs(picture - truth) for name, picture in shown.items()}
    captions = {f"{name} (x4): {float(error.mean()):.4f}": np.clip(4 * error, 0, 1) for name, error in errors.items()}
    return grid({**shown, "ground truth": truth, **captions}, columns=len(shown) + 1)


def _grey(picture: Picture) -> Picture:
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return picture if picture.ndim == 2 else np.asarray(picture @ weights, np.float32)


def _caption(text: str, width: int) -> Picture:
    import cv2

    bar = np.zeros((_BAR, width), np.uint8)
    scale = 0.45
    while scale > 0.2 and cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0] > width - 6:
        scale -= 0.03
    cv2.putText(bar, text, (4, _BAR - 7), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA)
    return bar.astype(np.float32) / np.float32(255)


def read_image(path: str, size: Sequence[int] | None = None) -> Picture:
    """A grey picture (H, W) float32 in [0, 1] from an 8- or 16-bit image file.

    Raises:
        SpikeFormatError: If the file is missing, no image, or not of `size` (height, width).
    """
    import cv2

    raw = np.fromfile(path, np.uint8) if _is_file(path) else None
    if raw is None or not len(raw):
        raise SpikeFormatError(path, "no such file" if raw is None else "empty file", expected="an image")
    values = cv2.imdecode(raw, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_GRAYSCALE)
    if values is None:
        raise SpikeFormatError(path, "not an image that OpenCV reads", expected="PNG, JPEG, TIFF or BMP")
    if size is not None and values.shape != tuple(size):
        raise SpikeFormatError(
            path, f"an image of {values.shape[0]}x{values.shape[1]}", expected=f"{size[0]}x{size[1]}, as the recording"
        )
    return values.astype(np.float32) / np.float32(65535 if values.dtype == np.uint16 else 255)


def _is_file(path: str) -> bool:
    from pathlib import Path

    return Path(path).is_file()
