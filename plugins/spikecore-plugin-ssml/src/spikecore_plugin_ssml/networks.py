"""The networks of the SSML family: (N, 41, H, W) spikes to (N, 1, H, W) light at frame 20.

Light is in spikes per frame, unclipped. State keys are those of the official code.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from spikecore import UsageError
from spikecore_plugin_ssml.attention import NonLocalAttention
from spikecore_plugin_ssml.blocks import SLOPE, BlindUNet, rotations, rotations_undone, shift_down
from spikecore_plugin_ssml.config import FRAMES, Padding
from spikecore_plugin_ssml.labels import tfi_label
from spikecore_plugin_ssml.motion import CHANNELS, MotionInference

SUB_FRAMES = 27
SUB_STARTS = (0, 7, 14)
"""Windows of 27 frames around frames 13, 20 and 27."""


def square(x: torch.Tensor, padding: Padding) -> torch.Tensor:
    """(N, C, H, W) padded evenly on its shorter sides to a square.

    Raises:
        UsageError: If it is too long and thin to be reflected.
    """
    height, width = x.shape[-2:]
    spare = abs(height - width)
    before, after = spare // 2, spare - spare // 2
    sides = (before, after, 0, 0) if height > width else (0, 0, before, after)
    if padding is Padding.ZERO:
        return functional.pad(x, sides)
    if after >= min(height, width):
        raise UsageError(f'a picture of {height}x{width} is too long to be reflected into a square; padding = "zero"')
    return functional.pad(x, sides, mode="reflect")


def unsquare(x: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The (height, width) picture inside its square."""
    top, left = max(width - height, 0) // 2, max(height - width, 0) // 2
    return x[..., top : top + height, left : left + width]


class Head(nn.Module):
    """Three 1×1 convolutions per pixel, 384-384-96-1, the last one linear; a base for the keys nin_A, nin_B, nin_C."""

    def __init__(self) -> None:
        super().__init__()
        self.nin_A = nn.Conv2d(384, 384, 1, bias=False)
        self.nin_B = nn.Conv2d(384, 96, 1, bias=False)
        self.nin_C = nn.Conv2d(96, 1, 1, bias=False)

    def image(self, features: torch.Tensor) -> torch.Tensor:
        """(N, 384, H, W) to (N, 1, H, W)."""
        x = functional.leaky_relu(self.nin_A(features), SLOPE)
        x = functional.leaky_relu(self.nin_B(x), SLOPE)
        result: torch.Tensor = self.nin_C(x)
        return result


class BSN(Head):
    """Four turned half-plane U-Nets whose features meet in 1×1 convolutions.

    Blind, each U-Net sees the rows above a pixel and its output is shifted by one row, so the pixel's own spikes reach
    its result on no way (with reflected padding: except near padded sides). Otherwise the same without shifts.

    Args:
        blind: Whether a pixel is hidden from its own result.
        motion: Whether features of `MotionInference` join the spikes (variants B and C).
        padding: Around pictures that are not square.
    """

    def __init__(self, blind: bool = True, motion: bool = True, padding: Padding = Padding.REFLECT) -> None:
        super().__init__()
        self.blind, self.padding = blind, padding
        self.unet = BlindUNet(FRAMES + (CHANNELS if motion else 0), 96, blind)
        self.MotionInference = MotionInference(FRAMES, blind) if motion else None

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """See the module."""
        turned = rotations(square(spikes, self.padding))
        if self.MotionInference is not None:
            turned = torch.cat([turned, self.MotionInference(turned)[0]], dim=1)
        features = self.unet(turned)
        features = shift_down(features) if self.blind else features
        return unsquare(self.image(rotations_undone(features)), *spikes.shape[-2:])


class NorotaMultiSpike(Head):
    """Three sub-windows through one U-Net, their features through a second; nothing is turned (NBSN of variant C)."""

    def __init__(self) -> None:
        super().__init__()
        self.denoiser_1 = BlindUNet(SUB_FRAMES + CHANNELS, 32, blind=False)
        self.denoiser_2 = BlindUNet(96, 384, blind=False)
        self.MotionInference = MotionInference(SUB_FRAMES, blind=False)

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """See the module."""
        features = torch.cat([self._window(spikes[:, start : start + SUB_FRAMES]) for start in SUB_STARTS], dim=1)
        return self.image(self.denoiser_2(features))

    def _window(self, spikes: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([spikes, self.MotionInference(spikes)[0]], dim=1)
        result: torch.Tensor = self.denoiser_1(joined)
        return result


class BlindVideoNetSpike(Head):
    """Sub-windows, turns and non-local attention (variant D).

    Not truly blind: the 3×3 convolutions around the attention see rows below.
    """

    def __init__(self, blind: bool = True, padding: Padding = Padding.REFLECT) -> None:
        super().__init__()
        self.blind, self.padding = blind, padding
        self.denoiser_1 = BlindUNet(SUB_FRAMES + CHANNELS, 32, blind)
        self.denoiser_2 = BlindUNet(96, 96, blind)
        self.non_local = NonLocalAttention(32, len(SUB_STARTS))
        self.MotionInference = MotionInference(SUB_FRAMES, blind)

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """See the module."""
        turned = rotations(square(spikes, self.padding))
        windows = [self._window(turned[:, start : start + SUB_FRAMES]) for start in SUB_STARTS]
        features = self.denoiser_2(self.non_local(torch.stack(windows, dim=1)).flatten(1, 2))
        features = shift_down(features) if self.blind else features
        return unsquare(self.image(rotations_undone(features)), *spikes.shape[-2:])

    def _window(self, spikes: torch.Tensor) -> torch.Tensor:
        tfi = tfi_label(spikes, SUB_FRAMES // 2)
        result: torch.Tensor = self.denoiser_1(torch.cat([spikes, self.MotionInference.features(spikes, tfi)], dim=1))
        return result


class DoubleNet(nn.Module):
    """The two networks that teach each other, both run: `bsn` and `nbsn`."""

    def __init__(self, bsn: nn.Module, nbsn: nn.Module) -> None:
        super().__init__()
        self.bsn = bsn
        self.nbsn = nbsn

    def forward(self, spikes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(nbsn, bsn), each (N, 1, H, W)."""
        return self.nbsn(spikes), self.bsn(spikes)
