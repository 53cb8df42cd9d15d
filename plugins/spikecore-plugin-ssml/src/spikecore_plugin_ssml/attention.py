"""Attention of the SSML networks, in plain torch: gates, criss-cross, over channels and over time.

State keys are those of the official code. Papers: CBAM (Woo et al., ECCV 2018), criss-cross attention (Huang et al.,
CCNet, ICCV 2019), channel attention (Fu et al., Dual Attention Network, CVPR 2019), fusion over time (Wang et al.,
EDVR, CVPRW 2019).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from spikecore_plugin_ssml.blocks import SLOPE


class PlainConv(nn.Module):
    """A convolution without bias, under the key `conv`."""

    def __init__(self, channels: int, out: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, size, padding=size // 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) to (N, out, H, W), zeros outside."""
        result: torch.Tensor = self.conv(x)
        return result


class SpatialGate(nn.Module):
    """Weights every pixel by sigmoid(7×7 convolution of the maximum and mean over channels)."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = PlainConv(2, 1, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        pooled = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.spatial(pooled))


class ChannelGate(nn.Module):
    """Weights every channel by sigmoid(MLP(mean over pixels) + MLP(maximum over pixels))."""

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        inner = channels // ratio
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(channels, inner), nn.ReLU(), nn.Linear(inner, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        attention = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        return x * torch.sigmoid(attention)[:, :, None, None]


class Cbam(nn.Module):
    """Channel gate, then spatial gate."""

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        self.ChannelGate = ChannelGate(channels, ratio)
        self.SpatialGate = SpatialGate()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        result: torch.Tensor = self.SpatialGate(self.ChannelGate(x))
        return result


class CrissCross(nn.Module):
    """Every pixel attends to its row and its column, itself counted once: softmax over H + W - 1 places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query_conv = nn.Conv2d(channels, channels // 8, 1)
        self.key_conv = nn.Conv2d(channels, channels // 8, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape; needs N·H·W·(H + W) floats."""
        query, key, value = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        height, width = x.shape[-2:]
        row = torch.einsum("ncyx,ncyu->nyxu", query, key)
        column = torch.einsum("ncyx,ncvx->nyxv", query, key)
        itself = torch.eye(height, dtype=torch.bool, device=x.device)[None, :, None, :]
        column = column.masked_fill(itself, -torch.inf)
        weights = torch.cat([row, column], dim=-1).softmax(-1)
        result = torch.einsum("nyxu,ncyu->ncyx", weights[..., :width], value)
        result = result + torch.einsum("nyxv,ncvx->ncyx", weights[..., width:], value)
        return self.gamma * result + x


class ChannelAttention(nn.Module):
    """out = gamma · A F + x with A = softmax(rowmax(E) - E), E = F Fᵀ, F the (C, H·W) matrix of a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        flat = x.flatten(2)
        energy = flat @ flat.transpose(1, 2)
        attention = (energy.amax(-1, keepdim=True) - energy).softmax(-1)
        return self.gamma * (attention @ flat).view_as(x) + x


class TemporalAttention(ChannelAttention):
    """The same with time in place of channels: (N·C, T, H, W)."""


def _activated(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.ReLU())


class NonLocalAttention(nn.Module):
    """Sum of criss-cross (twice, same weights), channel and temporal attention, each between 3×3 convolutions."""

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.conv_before_cca, self.conv_after_cca = _activated(channels), _activated(channels)
        self.conv_before_ca, self.conv_after_ca = _activated(channels), _activated(channels)
        self.conv_before_ta, self.conv_after_ta = _activated(frames), _activated(frames)
        self.cca = CrissCross(channels)
        self.ca = ChannelAttention()
        self.ta = TemporalAttention()
        self.conv_final = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, T, C, H, W) to the same shape."""
        items, frames, channels, height, width = x.shape
        pictures = x.flatten(0, 1)
        crossed = self.conv_after_cca(self.cca(self.cca(self.conv_before_cca(pictures))))
        by_channel = self.conv_after_ca(self.ca(self.conv_before_ca(pictures)))
        times = x.transpose(1, 2).reshape(items * channels, frames, height, width)
        by_time = self.conv_after_ta(self.ta(self.conv_before_ta(times)))
        by_time = by_time.view(items, channels, frames, height, width).transpose(1, 2).flatten(0, 1)
        result: torch.Tensor = self.conv_final(crossed + by_channel + by_time).view_as(x) + x
        return result


class TemporalFusion(nn.Module):
    """Frames weighted by their likeness to the middle one, fused, then weighted over the picture (TSA of EDVR).

    The official code bundles it; none of its networks uses it. All convolutions are free of biases here.
    """

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.middle = frames // 2
        self.tAtt_1, self.tAtt_2 = _plain(channels, channels, 3), _plain(channels, channels, 3)
        self.fea_fusion, self.sAtt_1 = _plain(frames * channels, channels, 1), _plain(frames * channels, channels, 1)
        self.sAtt_2 = _plain(2 * channels, channels, 1)
        self.sAtt_3, self.sAtt_4 = _plain(channels, channels, 3), _plain(channels, channels, 1)
        self.sAtt_5 = _plain(channels, channels, 3)
        self.sAtt_L1, self.sAtt_L2 = _plain(channels, channels, 1), _plain(2 * channels, channels, 3)
        self.sAtt_L3 = _plain(channels, channels, 3)
        self.sAtt_add_1, self.sAtt_add_2 = _plain(channels, channels, 1), _plain(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, T, C, H, W) to (N, C, H, W); height and width multiples of 4."""
        reference = self.tAtt_2(x[:, self.middle])
        keys = self.tAtt_1(x.flatten(0, 1)).view_as(x)
        likeness = torch.sigmoid((keys * reference[:, None]).sum(2, keepdim=True))
        weighted = (x * likeness).flatten(1, 2)
        fused = _leaky(self.fea_fusion(weighted))
        attention = self.sAtt_5(_bilinear(self._over_pixels(_leaky(self.sAtt_1(weighted)))))
        added: torch.Tensor = self.sAtt_add_2(_leaky(self.sAtt_add_1(attention)))
        return fused * torch.sigmoid(attention) * 2 + added

    def _over_pixels(self, x: torch.Tensor) -> torch.Tensor:
        half = _leaky(self.sAtt_2(_pooled(x)))
        quarter = _leaky(self.sAtt_L2(_pooled(_leaky(self.sAtt_L1(half)))))
        quarter = _leaky(self.sAtt_L3(quarter))
        return _leaky(self.sAtt_4(_leaky(self.sAtt_3(half)) + _bilinear(quarter)))


def _plain(channels: int, out: int, size: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, size, padding=size // 2, bias=False)


def _leaky(x: torch.Tensor) -> torch.Tensor:
    return functional.leaky_relu(x, SLOPE)


def _pooled(x: torch.Tensor) -> torch.Tensor:
    """Maximum and mean of 3×3 pixels at every second pixel, side by side as channels."""
    return torch.cat([functional.max_pool2d(x, 3, 2, 1), functional.avg_pool2d(x, 3, 2, 1)], dim=1)


def _bilinear(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
