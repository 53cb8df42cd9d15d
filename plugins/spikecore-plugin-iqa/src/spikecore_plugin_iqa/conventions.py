"""Which values of pictures are compared: conventions of published tables that differ in the same score."""

from __future__ import annotations

import torch

from spikecore_plugin_iqa.config import Convention
from spikecore_plugin_iqa.pictures import eight_bit


def values(images: torch.Tensor, convention: Convention) -> torch.Tensor:
    """Pictures in [0, 1] as the convention compares them.

    standard: as they are. spikezoo: 2 x - 1, in [-1, 1]. spikecv: round(255 x).
    """
    if convention is Convention.SPIKEZOO:
        return 2 * images - 1
    return eight_bit(images) if convention is Convention.SPIKECV else images


def data_range(convention: Convention) -> float:
    """Difference of the largest and the smallest value a picture can have under the convention."""
    return {Convention.STANDARD: 1.0, Convention.SPIKEZOO: 2.0, Convention.SPIKECV: 255.0}[convention]
