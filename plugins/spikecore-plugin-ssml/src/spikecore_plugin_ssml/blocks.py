"""Building blocks of the SSML networks: convolutions that see a half plane, and the U-Net made of them.

All are free of biases. State keys are those of the official code (Chen et al., Self-Supervised Mutual Learning for
Dynamic Scene Reconstruction of Spiking Camera, IJCAI 2022).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

SLOPE = 0.1
"""Of every LeakyReLU."""


def drop_last_row(x: torch.Tensor) -> torch.Tensor:
    """(…, H, W) without its last row."""
    return x[..., :-1, :]


def shift_down(x: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) moved down by one row; the first row is zero."""
    return functional.pad(x[..., :-1, :], (0, 0, 1, 0))


def rotations(x: torch.Tensor) -> torch.Tensor:
    """A square picture turned clockwise by 0, 90, 180 and 270 degrees: (N, C, S, S) to (4N, C, S, S).

    All of turn 0 come first, then all of turn 90, … Index moves only: interpolation would mix in the hidden pixel.
    """
    return torch.cat([torch.rot90(x, -turn, (-2, -1)) for turn in range(4)])


def rotations_undone(x: torch.Tensor) -> torch.Tensor:
    """`rotations` turned back and put side by side as channels: (4N, C, S, S) to (N, 4C, S, S)."""
    return torch.cat([torch.rot90(part, turn, (-2, -1)) for turn, part in enumerate(x.chunk(4))], dim=1)


class Crop(nn.Module):
    """`drop_last_row` as a module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, H - 1, W)."""
        return drop_last_row(x)


class Shift(nn.Module):
    """`shift_down` as a module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        return shift_down(x)


class Rotate(nn.Module):
    """`rotations` as a module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) to (4N, C, S, S)."""
        return rotations(x)


class Unrotate(nn.Module):
    """`rotations_undone` as a module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(4N, C, S, S) to (N, 4C, S, S)."""
        return rotations_undone(x)


class Conv(nn.Module):
    """3×3 convolution and LeakyReLU, borders replicated.

    A blind one sees only rows y - 2 … y for its row y: two rows of zeros stand on top and none at the bottom.
    """

    def __init__(self, channels: int, out: int, blind: bool = False) -> None:
        super().__init__()
        self.blind = blind
        self.conv = nn.Conv2d(channels, out, 3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) to (N, out, H, W)."""
        if self.blind:
            x = functional.pad(functional.pad(x, (1, 1, 0, 0), mode="replicate"), (0, 0, 2, 0))
        else:
            x = functional.pad(x, (1, 1, 1, 1), mode="replicate")
        return functional.leaky_relu(self.conv(x), SLOPE)


class Pool(nn.Module):
    """Maximum of 2×2 pixels; a blind one looks one row up first. Odd rows and columns at the end are dropped."""

    def __init__(self, blind: bool = False) -> None:
        super().__init__()
        self.blind = blind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, H // 2, W // 2)."""
        return functional.max_pool2d(shift_down(x) if self.blind else x, 2)


class EncConv(nn.Module):
    """Three convolutions, then a pool if `reduce`."""

    def __init__(self, channels: int, mid: int, out: int, reduce: bool = True, blind: bool = False) -> None:
        super().__init__()
        self.conv1 = Conv(channels, mid, blind)
        self.conv2 = Conv(mid, mid, blind)
        self.conv3 = Conv(mid, out, blind)
        self.pool = Pool(blind) if reduce else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) to (N, out, H // 2, W // 2), or of the same size without `reduce`."""
        x = self.conv3(self.conv2(self.conv1(x)))
        return x if self.pool is None else self.pool(x)


class DecConv(nn.Module):
    """Doubles the size (nearest), joins the skip connection and convolves four times."""

    def __init__(self, channels: int, mid: int, out: int, blind: bool = False) -> None:
        super().__init__()
        self.conv1 = Conv(channels, mid, blind)
        self.conv2 = Conv(mid, mid, blind)
        self.conv3 = Conv(mid, mid, blind)
        self.conv4 = Conv(mid, out, blind)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """(N, C, h, w) and (N, channels - C, H, W) to (N, out, H, W); what doubling lacks of H×W is zero."""
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        rows, columns = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
        if rows or columns:
            x = functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        x = torch.cat([x, skip], dim=1)
        result: torch.Tensor = self.conv4(self.conv3(self.conv2(self.conv1(x))))
        return result


class BlindUNet(nn.Module):
    """U-Net of 17 convolutions over two halvings; the last skip connection is the input itself.

    Any height and width from 4. Non-blind, an output pixel depends on at most 36 pixels to each side; blind, only on
    its own row and rows above.
    """

    def __init__(self, channels: int, out: int = 96, blind: bool = True) -> None:
        super().__init__()
        self.enc1 = EncConv(channels, 48, 48, blind=blind)
        self.enc2 = EncConv(48, 48, 48, blind=blind)
        self.enc3 = EncConv(48, 96, 48, reduce=False, blind=blind)
        self.dec2 = DecConv(96, 96, 96, blind)
        self.dec1 = DecConv(96 + channels, 96, out, blind)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) to (N, out, H, W)."""
        half = self.enc1(x)
        quarter = self.enc3(self.enc2(half))
        result: torch.Tensor = self.dec1(self.dec2(quarter, half), x)
        return result
