"""Losses without ground truth: everything is compared with the spikes or with the other network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spikecore import LossTerms, Output, UsageError
from spikecore_plugin_ssml.config import Norm
from spikecore_plugin_ssml.flow import flow_residual

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_ssml.config import (
        DistillationConfig,
        FusionConfig,
        MotionConfig,
        ReconstructionConfig,
        SmoothnessConfig,
    )

EPSILON = 1e-3
"""Of the Charbonnier penalty; Lai et al., Deep Laplacian Pyramid Networks, CVPR 2017, sec. 3.3."""


def penalty(difference: torch.Tensor, kind: Norm) -> torch.Tensor:
    """|d|, d² or sqrt(d² + EPSILON²), elementwise."""
    if kind is Norm.L1:
        return difference.abs()
    if kind is Norm.L2:
        return difference.square()
    return (difference.square() + EPSILON**2).sqrt()


def taken(output: Output, name: str) -> torch.Tensor:
    """An entry of the output.

    Raises:
        UsageError: If the model did not give it.
    """
    if name not in output:
        raise UsageError(
            f"a loss needs the output {name!r}, the model gave {', '.join(sorted(output))}; ssml/mutual gives all, "
            "ssml/bsn and ssml/nbsn give their own and the labels in training"
        )
    return output[name]


class Reconstruction:
    """mean penalty(prediction - pseudo-label): MSE(bsn, TFI) in the paper.

    The label is computed from the same spikes; ground truth is never read. Where pixels were masked, they alone count.
    """

    def __init__(self, config: ReconstructionConfig) -> None:
        self.config = config

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        config = self.config
        own = "bsn" if "bsn" in output else "image"
        name = own if config.of == "auto" else config.of
        values = penalty(taken(output, name).float() - taken(output, config.label.value), config.kind)
        if name == "bsn" and "mask" in output:
            hidden = output["mask"]
            total = (values * hidden).sum() / hidden.sum().clamp(min=1)
        else:
            total = values.mean()
        return LossTerms(total, {config.label.value: total})


class Distillation:
    """mean penalty(nbsn - bsn): 0.01 × MSE in the official code, L1 in descriptions of it.

    Variant E's ordinary network learns from "both", the mean of "bsn" and "fused": the errors of the two differ.
    """

    def __init__(self, config: DistillationConfig) -> None:
        self.config = config

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        teacher = taken(output, self.config.teacher).float()
        teacher = teacher.detach() if self.config.detach else teacher
        total = penalty(taken(output, "image").float() - teacher, self.config.kind).mean()
        return LossTerms(total, {"mutual": total})


class Fusion:
    """Pretext of variant E: mean (bsn - mixed)² + mean (fused - tfp)².

    Both labels are made of the pixel's own spikes, as is what the gates weigh: noise that they share is not counted
    against it, so that the gates trust a pixel's own spikes too much. "both" of `FusionBSN.views` makes up for some of
    that.
    """

    def __init__(self, config: FusionConfig) -> None:
        pass

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        pairs = (("bsn", "mixed"), ("fused", "tfp"))
        blind, gates = ((taken(output, a).float() - taken(output, b)).square().mean() for a, b in pairs)
        return LossTerms(blind + gates, {"blind": blind, "gates": gates})


class Motion:
    """Optical-flow consistency: |∇image · flow + rate after - rate before|, where flow can be measured.

    The flow is measured from the spikes (Lucas and Kanade, IJCAI 1981), so that no network predicts it.
    """

    def __init__(self, config: MotionConfig) -> None:
        self.config = config

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        assert batch.spikes is not None  # the model has refused such a batch
        image = taken(output, self.config.of).float()
        spikes = batch.spikes.tensor(device=image.device)
        total = flow_residual(image, spikes, self.config.reach, self.config.radius)
        return LossTerms(total, {"motion": total})


class Smoothness:
    """Mean absolute second differences: |dxx| + |dxy| + |dyx| + |dyy|."""

    def __init__(self, config: SmoothnessConfig) -> None:
        self.config = config

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """See `spikecore.Loss`."""
        total = smoothness(taken(output, self.config.of).float())
        return LossTerms(total, {"smoothness": total})


def smoothness(image: torch.Tensor) -> torch.Tensor:
    """Mean |dxx| + |dxy| + |dyx| + |dyy| of (N, C, H, W) by forward differences; 0 in directions of under 3 pixels."""
    along_x, along_y = image.diff(dim=-1), image.diff(dim=-2)
    second = (along_x.diff(dim=-1), along_x.diff(dim=-2), along_y.diff(dim=-1), along_y.diff(dim=-2))
    return torch.stack([part.abs().sum() / max(part.numel(), 1) for part in second]).sum()
