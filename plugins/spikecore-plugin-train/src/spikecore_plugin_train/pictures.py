"""Results beside their ground truth, as PNG files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spikecore import Batch
from spikecore.component import Data
from spikecore.grid import comparison
from spikecore.interfaces import Output
from spikecore.sinks import Target, open_sink

Picture = NDArray[np.float32]


def drawn(output: Output, batch: Batch) -> Picture | None:
    """The first item's image, middle frame of its video, or depth, beside the truth and the error; None if it has none.

    Depth is stretched by the range of the truth (of the result without truth); unknown pixels are black.
    """
    kind = next((kind for kind in (Data.IMAGE, Data.VIDEO, Data.DEPTH) if kind in output), None)
    if kind is None:
        return None
    result = _flat(output[kind], kind)
    truth = _flat(batch.target[kind], kind) if kind in batch.target else None
    if truth is not None and truth.shape[:2] != result.shape[:2]:
        truth = None
    if kind is Data.DEPTH:
        result, truth = _stretched(result, truth)
    if truth is not None and truth.ndim == 3:
        truth = truth.mean(-1)
    return comparison({str(kind): result}, truth)


def _flat(values: torch.Tensor, kind: Data) -> Picture:
    picture = values[0].detach().float().cpu().numpy()
    if kind is Data.VIDEO:
        picture = picture[len(picture) // 2]
    return np.asarray(picture[0] if len(picture) != 3 else np.moveaxis(picture, 0, -1), np.float32)


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
        sink = open_sink(Target(path, 1))
        sink.write(0, picture)
        written.append(sink.commit())
    return written
