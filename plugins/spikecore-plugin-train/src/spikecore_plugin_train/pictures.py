"""Results beside their ground truth, as PNG files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore import Data, Sample
from spikecore.sinks.grid import comparison
from spikecore.sinks.open import write_picture

Picture = NDArray[np.float32]


def drawn(shown: Mapping[Data, NDArray[Any]], sample: Sample) -> Picture | None:
    """The image, middle frame of the video, or depth, beside the truth and the error; None if there is none.

    Depth is stretched by the range of the truth (of the result without truth); unknown pixels are black.

    Args:
        shown: Results by kind, as `spikecore.to_pictures` gives them.
        sample: For the ground truth.
    """
    kind = next((kind for kind in (Data.IMAGE, Data.VIDEO, Data.DEPTH) if kind in shown), None)
    if kind is None:
        return None
    result = _one(shown[kind], kind)
    truth = _upright(sample.target[kind], kind) if kind in sample.target else None
    if truth is not None and truth.shape[:2] != result.shape[:2]:
        truth = None
    if kind is Data.DEPTH:
        result, truth = _stretched(result, truth)
    if truth is not None and truth.ndim == 3:
        truth = truth.mean(-1)
    return comparison({str(kind): result}, truth)


def _one(picture: NDArray[Any], kind: Data) -> Picture:
    """(H, W) or (H, W, 3)."""
    one = picture[len(picture) // 2] if kind is Data.VIDEO else picture[0] if kind is Data.DEPTH else picture
    return np.asarray(one if one.ndim == 2 or one.shape[-1] == 3 else one[..., 0], np.float32)


def _upright(truth: NDArray[Any], kind: Data) -> Picture:
    """(H, W) or (H, W, 3) of ground truth, whose channels come first."""
    one = truth[len(truth) // 2] if kind is Data.VIDEO else truth
    return np.asarray(one[0] if len(one) != 3 else np.moveaxis(one, 0, -1), np.float32)


def _stretched(result: Picture, truth: Picture | None) -> tuple[Picture, Picture | None]:
    reference = result if truth is None or np.isnan(truth).all() else truth
    low, high = np.nanmin(reference), np.nanmax(reference)

    def stretch(values: Any) -> Picture:
        return np.asarray(np.clip(np.nan_to_num((values - low) / max(high - low, 1e-6)), 0, 1), np.float32)

    return stretch(result), None if truth is None else stretch(truth)


def write_pictures(pictures: Mapping[str, Picture], folder: Path) -> list[Path]:
    """Write each picture as folder/KEY.png; returns the files."""
    written = []
    for key, picture in pictures.items():
        path = folder / (re.sub(r"[^\w.-]+", "-", key) + ".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        written.append(write_picture(picture, path))
    return written
