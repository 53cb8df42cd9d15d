"""From what a method computes to a picture: gain, display, gamma."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.experiment.run_config import Display, RunConfig

Array = NDArray[Any]
INTENSITIES = (Data.IMAGE, Data.VIDEO)
"""Kinds of result that are light; spike rates become intensities by a gain."""


def to_picture(value: Array, kind: Data, sample: Sample, run: RunConfig) -> Array:
    """A result (…, C, H, W) in spike-rate units as a picture (…, H, W) or (…, H, W, C); other kinds as they are."""
    if kind not in INTENSITIES:
        return value
    picture = np.moveaxis(value, -3, -1)
    picture = (picture[..., 0] if picture.shape[-1] == 1 else picture).astype(np.float32)
    if sample.frames is None:  # a camera's frames are intensities already; only spike rates need a gain
        own = sample.spikes.gain if sample.spikes is not None else None
        picture = picture * np.float32(run.gain or own or 1.0)
    if run.display == Display.RAW:
        return np.asarray(picture)
    if run.display != Display.CLIP:
        ends = (0, 100) if run.display == Display.MINMAX else (1, 99)
        low, high = np.percentile(picture, ends)
        picture = (picture - low) / max(high - low, 1e-12)
    return np.asarray(np.clip(picture, 0, 1) ** np.float32(1 / run.gamma), np.float32)


def to_pictures(outputs: Mapping[Data, Array], sample: Sample, run: RunConfig) -> dict[Data, Array]:
    """`to_picture` of every kind."""
    return {kind: to_picture(value, kind, sample, run) for kind, value in outputs.items()}
