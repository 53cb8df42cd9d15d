"""Variant E: a blind network predicts a pixel from its neighbours, gates weigh that against the pixel's own spikes.

Blindness costs what the pixel itself knows. As in Laine et al., "High-Quality Self-Supervised Deep Image Denoising"
(NeurIPS 2019, sec. 3), the two are put together afterwards; here by weights that the neighbours alone decide, so that
they cannot learn the noise of the label. An ordinary network then learns the result, in one pass and with fewer
operations.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from spikecore_plugin_ssml.config import FRAMES
from spikecore_plugin_ssml.estimates import around, curve, interval, intervals, mixed_label

ESTIMATES = 8
"""Maps that `described` adds to the spikes."""


class Own:
    """What the pixels' own spikes say: (n - 1) / (t_n - t_1) over all 41 frames and over the middle 21; the curve."""

    def __init__(self, spikes: torch.Tensor) -> None:
        self.all, self.middle = intervals(spikes, FRAMES // 2), intervals(spikes, FRAMES // 4)
        self.curve = curve(spikes)


def described(spikes: torch.Tensor, own: Own) -> torch.Tensor:
    """Spikes and what they say of each pixel, (N, 41 + ESTIMATES, H, W)."""
    maps = [interval(spikes), own.all.rate, own.middle.rate, around(spikes, 20), around(spikes, 3), around(spikes, 7)]
    return torch.cat([spikes, *maps, own.all.span, own.curve.rate], 1)


def fused(learned: torch.Tensor, logits: torch.Tensor, own: Own) -> torch.Tensor:
    """Σ softmax(logits) · (learned, own.all, own.middle, own.curve), without those that are not known; (N, 1, H, W)."""
    never = torch.finfo(logits.dtype).min
    estimates = (own.all, own.middle, own.curve)
    known = [logits[:, n : n + 1].where(each.known, never) for n, each in enumerate(estimates, start=1)]
    weights = torch.cat([logits[:, :1], *known], 1).softmax(1)
    values = torch.cat([learned, *[each.rate for each in estimates]], 1)
    return (weights * values).sum(1, keepdim=True)


class HoledConv(nn.Conv2d):
    """A convolution of (2·reach + 1)² pixels that does not see the middle one; padded with zeros."""

    hole: torch.Tensor

    def __init__(self, channels: int, reach: int) -> None:
        side = 2 * reach + 1
        super().__init__(channels, channels, side, padding=reach)
        hole = torch.ones(1, 1, side, side)
        hole[..., reach, reach] = 0
        self.register_buffer("hole", hole, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        seen: torch.Tensor = self._conv_forward(x, self.weight * self.hole, self.bias)
        return seen


class Dilated(nn.Module):
    """x + 1×1(ReLU(3×3 dilated(x)))."""

    def __init__(self, channels: int, step: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, channels, 3, padding=step, dilation=step)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        change: torch.Tensor = self.mix(functional.relu(self.spread(x)))
        return x + change


def _blind(channels: int, step: int, depth: int) -> nn.Sequential:
    """Blind, as steps of `step` pixels never lead from the pixels that a hole of reach `step` - 1 shows to the middle.

    Wu et al., "Unpaired Learning of Deep Image Denoising" (ECCV 2020), sec. 3.2.
    """
    return nn.Sequential(HoledConv(channels, step - 1), nn.ReLU(), *[Dilated(channels, step) for _ in range(depth)])


class FusionBSN(nn.Module):
    """The blind network: two branches with steps of 2 and 3 pixels, so that together they see all neighbours.

    280,133 parameters. Any height and width; outside the picture there is nothing.
    """

    def __init__(self, channels: int = 48, depth: int = 4) -> None:
        super().__init__()
        self.embed = nn.Conv2d(FRAMES + ESTIMATES, channels, 1)
        self.branches = nn.ModuleList([_blind(channels, step, depth) for step in (2, 3)])
        both = 2 * channels
        self.merge = nn.Sequential(
            nn.Conv2d(both, both, 1), nn.ReLU(), nn.Conv2d(both, channels, 1), nn.ReLU(), nn.Conv2d(channels, 5, 1)
        )

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """What the neighbours say of a pixel: (N, 41, H, W) → (N, 1, H, W), spikes per frame."""
        return self._merged(spikes, Own(spikes))[:, :1]

    def views(self, spikes: torch.Tensor) -> dict[str, torch.Tensor]:
        """What training needs, each (N, 1, H, W) in spikes per frame.

        "bsn" as `forward`; "fused" with the pixel's own spikes (only the gates get its gradient); "both", the mean of
        these two; the label "mixed".
        """
        own = Own(spikes)
        merged = self._merged(spikes, own)
        blind = merged[:, :1]
        weighed = fused(blind.detach(), merged[:, 1:], own)
        return {"bsn": blind, "fused": weighed, "both": (blind + weighed) / 2, "mixed": mixed_label(spikes)}

    def _merged(self, spikes: torch.Tensor, own: Own) -> torch.Tensor:
        seen = functional.relu(self.embed(described(spikes, own)))
        merged: torch.Tensor = self.merge(torch.cat([branch(seen) for branch in self.branches], 1))
        return merged.float()


class Residual(nn.Module):
    """x + 3×3(ReLU(3×3(x)))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        change: torch.Tensor = self.second(functional.relu(self.first(x)))
        return x + change


class FusionNBSN(nn.Module):
    """The ordinary network: residual blocks at half the resolution, one at full, and gates for the pixel's own spikes.

    655,637 parameters, 212 thousand multiply-accumulates a pixel. Any height and width; outside the picture there is
    nothing.
    """

    def __init__(self, channels: int = 48, inner: int = 96, blocks: int = 3) -> None:
        super().__init__()
        self.head = nn.Conv2d(FRAMES + ESTIMATES, channels, 3, padding=1)
        self.down = nn.Conv2d(channels, inner, 4, stride=2, padding=1)
        self.body = nn.Sequential(*[Residual(inner) for _ in range(blocks)])
        self.up = nn.Conv2d(inner, 4 * channels, 1)
        self.tail = nn.Sequential(Residual(channels), nn.ReLU(), nn.Conv2d(channels, 5, 3, padding=1))

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """Light at the middle frame: (N, 41, H, W) → (N, 1, H, W), spikes per frame."""
        height, width = spikes.shape[-2:]
        own = Own(spikes)
        seen = functional.pad(described(spikes, own), (0, width % 2, 0, height % 2))
        fine = functional.relu(self.head(seen))
        coarse = self.up(self.body(functional.relu(self.down(fine))))
        merged = self.tail(fine + functional.pixel_shuffle(coarse, 2))[..., :height, :width].float()
        return fused(merged[:, :1], merged[:, 1:], own)
