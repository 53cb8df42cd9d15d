"""Features of several temporal means and of the interval label: what the official code calls motion inference."""

from __future__ import annotations

import torch
from torch import nn

from spikecore_plugin_ssml.attention import ChannelGate, SpatialGate
from spikecore_plugin_ssml.blocks import Conv
from spikecore_plugin_ssml.labels import tfi_label, tfp_label

CHANNELS = 16
_REACHES = (5, 9, 13)  # frames on each side of the middle that the three learned means look at


class MotionInference(nn.Module):
    """16 feature maps from learned means over 11, 19 and 27 frames and from the TFI label; no flow is computed.

    Blind ones add the two kinds of features; their gates exist for the keys of the state dict alone.
    """

    def __init__(self, frames: int, blind: bool = False) -> None:
        super().__init__()
        self.middle, self.blind = frames // 2, blind
        self.conv0, self.conv1, self.conv2 = (nn.Conv2d(2 * reach + 1, 1, 1, bias=False) for reach in _REACHES)
        self.tfpconv = Conv(len(_REACHES), CHANNELS, blind)
        self.tficonv = Conv(1, CHANNELS, blind)
        self.ChannelGate = ChannelGate(CHANNELS, 4)
        self.SpatialGate = SpatialGate()

    def forward(self, spikes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features (N, 16, H, W), TFI label and TFP label (N, 1, H, W) of the middle of (N, frames, H, W)."""
        tfi, tfp = tfi_label(spikes, self.middle), tfp_label(spikes, self.middle)
        return self.features(spikes, tfi), tfi, tfp

    def features(self, spikes: torch.Tensor, tfi: torch.Tensor) -> torch.Tensor:
        """The features alone."""
        means = [
            conv(spikes[:, self.middle - reach : self.middle + reach + 1])
            for conv, reach in zip((self.conv0, self.conv1, self.conv2), _REACHES, strict=True)
        ]
        counted, timed = self.tfpconv(torch.cat(means, dim=1)), self.tficonv(tfi.to(spikes.dtype))
        if self.blind:
            result: torch.Tensor = counted + timed
            return result
        gated: torch.Tensor = self.ChannelGate(self.SpatialGate(counted) + self.SpatialGate(timed))
        return gated
