"""Which values of pictures are compared: conventions of published tables that differ in the same score."""

from __future__ import annotations

import torch

from spikecore import UsageError
from spikecore_plugin_iqa.config import Convention, Levels
from spikecore_plugin_iqa.pictures import eight_bit


def values(images: torch.Tensor, convention: Convention, levels: Levels) -> torch.Tensor:
    """Pictures in [0, 1] as the convention compares them.

    standard: as they are. spikezoo: 2 x - 1, in [-1, 1]. spikecv: 255 x, whole numbers as `levels` makes them.
    """
    if convention is Convention.SPIKEZOO:
        return 2 * images - 1
    return eight_bit(images, levels) if convention is Convention.SPIKECV else images


def check_levels(convention: Convention, levels: Levels) -> None:
    """Refuse what would have no effect.

    Raises:
        UsageError: If `levels` is chosen for a convention without whole numbers.
    """
    if levels is not Levels.ROUND and convention is not Convention.SPIKECV:
        raise UsageError(f"levels={levels.value} has no effect on convention={convention.value}; only on spikecv")


def data_range(convention: Convention) -> float:
    """Difference of the largest and the smallest value a picture can have under the convention."""
    return {Convention.STANDARD: 1.0, Convention.SPIKEZOO: 2.0, Convention.SPIKECV: 255.0}[convention]
