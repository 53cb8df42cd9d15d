"""Semi-UNet: a small U-Net with additive skips whose input frames reach the last layer.

From the documented behaviour of github.com/lshpku/spikling (model.Generator); module names give its state_dict keys.
"""

from __future__ import annotations

import torch
from torch import nn

FRAMES = 32


def _conv(taken: int, given: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(taken, given, size, stride, padding=1, bias=False)


def _grow(taken: int, given: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(taken, given, 4, 2, padding=1, bias=False)


def _block(layer: nn.Module) -> list[nn.Module]:
    width = layer.out_channels
    assert isinstance(width, int)  # a convolution's
    return [layer, nn.InstanceNorm2d(width), nn.ReLU(inplace=True)]


class SemiUnet(nn.Module):
    """(N, 32, H, W) in {-1, 1} → (N, 1, H, W), about -1 (dark) to 1; H and W must be multiples of 4.

    13 convolutions without biases, 2,895,904 parameters, 389 thousand multiply-accumulates a pixel. Instance
    normalisation has neither parameters nor running statistics, so training and evaluation are the same function.
    """

    def __init__(self) -> None:
        super().__init__()
        # the first normalisation is followed by no ReLU
        self.down1 = nn.Sequential(_conv(FRAMES, 64), nn.InstanceNorm2d(64), *_block(_conv(64, 64)))
        self.down2 = nn.Sequential(*_block(_conv(64, 128, 4, 2)), *_block(_conv(128, 128)))
        self.bottom = nn.Sequential(
            *_block(_conv(128, 256, 4, 2)),
            *_block(_conv(256, 256)),
            *_block(_conv(256, 256)),
            *_block(_grow(256, 128)),
        )
        self.up1 = nn.Sequential(*_block(_conv(128, 128)), *_block(_grow(128, 64)))
        self.up2 = nn.Sequential(*_block(_conv(64, 64)), _conv(64, FRAMES), nn.Tanh())
        self.flat = nn.Conv2d(FRAMES, 1, 1, bias=False)
        # The mean of the frames is a picture already: what is left to learn is its error.
        nn.init.constant_(self.flat.weight, 1 / FRAMES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One picture from 32 frames."""
        fine = self.down1(x)
        coarse = self.down2(fine)
        up = self.up1(self.bottom(coarse) + coarse)
        frames = x + self.up2(fine + up)
        with torch.autocast(x.device.type, enabled=False):  # its sum of frames would be rounded to half a grey level
            result: torch.Tensor = self.flat(frames.to(self.flat.weight.dtype))
        return result
