"""The model spikling/semi-unet: 32 spike frames to light intensity."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING

import attrs
import torch
from torch import nn
from torch.nn.functional import pad

from spikecore import Output, Stage, UsageError, Window
from spikecore_plugin_spikling.binning import COUNTS, joined, lost, shares
from spikecore_plugin_spikling.config import Arithmetic
from spikecore_plugin_spikling.network import FRAMES, SemiUnet

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_spikling.config import SemiUnetConfig


class Model(nn.Module):
    """Light intensity at frame 16 of 32, in spikes per frame, for any height and width.

    In evaluation, where light is scarce and little moves, each of the 32 is several frames joined: see `binning`.
    """

    def __init__(self, config: SemiUnetConfig) -> None:
        super().__init__()
        self.network = SemiUnet()
        self.fast = config.arithmetic is Arithmetic.AUTO
        self.bin = config.bin

    @property
    def window(self) -> Window:
        """32 frames, or as many as may be joined."""
        least = _window(self.bin or 1)
        return least if self.bin or self.training else attrs.evolve(_window(COUNTS[-1]), needs=least)

    def forward(self, batch: Batch, /) -> Output:
        """{"image": float (N, 1, H, W)}.

        Raises:
            UsageError: If the batch carries no spikes, or too few frames around an instant.
        """
        if batch.spikes is None:
            raise UsageError(f"samples {', '.join(batch.keys)} carry no spikes; this method needs a spike recording")
        spikes = batch.spikes.tensor(torch.uint8)
        least = FRAMES // 2 * (self.bin or 1)
        instants = [int(at) for at in batch.at]
        for at in instants:
            if not least <= at <= spikes.shape[1] - least:
                raise UsageError(
                    f"spikling/semi-unet takes {2 * least} spike frames with the instant at {least}, "
                    f"got {spikes.shape[1]} with the instant at {at}; cut samples to its window"
                )
        pieces = [
            (number, count, share)
            for number, (item, at) in enumerate(zip(spikes, instants, strict=True))
            for count, share in self._shares(item, at).items()
        ]
        frames = torch.stack([joined(spikes[number], instants[number], count) for number, count, _ in pieces])
        fast = self.fast and not self.training
        levels = grey_levels(on_any_size(self.network, frames.to(next(self.network.parameters()).dtype), fast))
        images = [torch.zeros(())] * len(spikes)
        for (number, count, share), found in zip(pieces, levels, strict=True):
            rate = found / (255 * count) * (lost(spikes[number], instants[number], count) if count > 1 else 1)
            images[number] = images[number] + share * rate
        return {"image": torch.stack(images)}

    def _shares(self, spikes: torch.Tensor, at: int) -> dict[int, torch.Tensor | float]:
        if self.bin or self.training:
            return {self.bin or 1: 1.0}
        return shares(spikes, at)

    def stages(self) -> list[Stage]:
        """The original's, but to calibrated light; recipes/ has it to the original's levels."""
        losses = {"spikling/l2": 100.0, "spikling/vgg": 1.0}
        return [Stage("spikling", epochs=50, losses=losses, optimiser={"use": "adam", "lr": 2e-4, "beta1": 0.5})]


def _window(count: int) -> Window:
    return Window.centred(FRAMES * count)


def fast_bfloat16() -> bool:
    """True if this machine's processor multiplies bfloat16 natively."""
    found: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # older torch does not tell
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def on_any_size(network: nn.Module, spikes: torch.Tensor, fast: bool = False) -> torch.Tensor:
    """The network's output for spikes (N, 32, H, W) in {0, 1}, (N, 1, H, W) in its own units.

    Spikes are padded with silence to multiples of 4 as evenly as can be, and the result is cut back.

    Args:
        network: A `SemiUnet`.
        spikes: Of its dtype, on its device.
        fast: bfloat16 where the processor multiplies that natively, unless the caller's autocast or dtype decide.
    """
    height, width = spikes.shape[-2:]
    down, across = -height % 4, -width % 4
    if max(height, width) <= 4:
        across = 8 - width  # a single pixel at the coarsest level has no variance to be normalised by
    margins = (across // 2, across - across // 2, down // 2, down - down // 2)
    device = spikes.device.type
    decided = device != "cpu" or spikes.dtype != torch.float32 or torch.is_autocast_enabled(device)
    with nullcontext() if decided or not (fast and fast_bfloat16()) else torch.autocast(device, torch.bfloat16):
        whole: torch.Tensor = network(2 * pad(spikes, margins) - 1)
    return whole[..., down // 2 : down // 2 + height, across // 2 : across // 2 + width]


def grey_levels(picture: torch.Tensor) -> torch.Tensor:
    """The network's output as levels of 255, float32, not clipped: y·128 + 127.

    The original trains it to reach level / 128 - 1, so that what it gives is a level too low; weights rely on either.
    """
    return picture.float() * 128 + 127
