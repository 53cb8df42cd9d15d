"""Losses that compare an output with the ground truth, pixel by pixel; unknown pixels (NaN) are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spikecore import Data, LossTerms, Output, UsageError
from spikecore_plugin_train.config import Norm

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_train.config import NoOptions, NormConfig

EPSILON = 1e-3
"""Of the Charbonnier penalty; Lai et al., Deep Laplacian Pyramid Networks, CVPR 2017, sec. 3.3."""


def penalty(difference: torch.Tensor, norm: Norm) -> torch.Tensor:
    """|d|, d² or sqrt(d² + EPSILON²), elementwise."""
    if norm is Norm.L1:
        return difference.abs()
    if norm is Norm.L2:
        return difference.square()
    return (difference.square() + EPSILON**2).sqrt()


def compare(output: Output, batch: Batch, kind: Data, norm: Norm) -> LossTerms:
    """The mean penalty over all pixels whose truth is known; zero if none is.

    Raises:
        UsageError: If the output or the batch lacks `kind`, or they differ in shape.
    """
    if kind not in output or kind not in batch.target:
        lacking = "the output" if kind not in output else f"the ground truth of {', '.join(batch.keys)}"
        raise UsageError(f"a loss of {kind} was asked about a batch where {lacking} holds none")
    prediction, truth = output[kind], batch.target[kind]
    if prediction.shape != truth.shape:
        raise UsageError(
            f"{kind}: output {tuple(prediction.shape)} and ground truth {tuple(truth.shape)} differ in shape"
        )
    known = ~truth.isnan()
    difference = (prediction - truth)[known]  # selected before any arithmetic on it: NaN times 0 is NaN
    total = penalty(difference, norm).sum() / known.sum().clamp(min=1)
    return LossTerms(total, {norm.value: total})


class L1:
    """mean |output - truth| of images."""

    def __init__(self, config: NoOptions) -> None:
        pass

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        return compare(output, batch, Data.IMAGE, Norm.L1)


class L2:
    """mean (output - truth)² of images."""

    def __init__(self, config: NoOptions) -> None:
        pass

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        return compare(output, batch, Data.IMAGE, Norm.L2)


class Charbonnier:
    """mean sqrt((output - truth)² + EPSILON²) of images."""

    def __init__(self, config: NoOptions) -> None:
        pass

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        return compare(output, batch, Data.IMAGE, Norm.CHARBONNIER)


class Video:
    """Mean penalty of videos (N, D, C, H, W)."""

    def __init__(self, config: NormConfig) -> None:
        self.norm = config.norm

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        return compare(output, batch, Data.VIDEO, self.norm)


class Depth:
    """Mean penalty of depth (N, 1, H, W) in metres, where it is known."""

    def __init__(self, config: NormConfig) -> None:
        self.norm = config.norm

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        return compare(output, batch, Data.DEPTH, self.norm)
