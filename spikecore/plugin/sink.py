"""What takes results: the interface of sinks, and what they are opened for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]


class Sink(Protocol):
    """Takes results one by one, in order."""

    @property
    def written(self) -> int:
        """How many results it has taken whole."""
        ...

    def write(self, instant: float, result: NDArray[np.float32]) -> None:
        """Take the result of one instant.

        Args:
            instant: Frame number or microsecond; it may lie between two of them (150.85).
            result: A picture (H, W) or (H, W, 3) in [0, 1]; depth (1, H, W) in metres, NaN where unknown; flow
                (2, H, W); of a label the scores (classes,).
        """
        ...

    def commit(self) -> Path:
        """All results are in: give the file its final name and return it."""
        ...

    def interrupt(self) -> Path | None:
        """Stop early: keep what is finished under a partial name and return it; None if there is nothing."""
        ...


@attrs.frozen
class Target:
    """What a sink is opened for.

    Args:
        path: The file, or a folder for PNG files.
        count: Number of results to come.
        fps: Frames per second of videos.
        bits: 8 or 16 bits per value in PNG files.
        attributes: Plain values to store in the file where the format can (HDF5). "depth_near" and "depth_far" are the
            metres between which pictures of depth have colours.
        labels: Names of the classes in the order of their numbers, where they are known; for results of kind label.
    """

    path: Path
    count: int
    fps: float = 30.0
    bits: int = 8
    attributes: Mapping[str, str] = attrs.field(factory=dict)
    labels: tuple[str, ...] = ()
