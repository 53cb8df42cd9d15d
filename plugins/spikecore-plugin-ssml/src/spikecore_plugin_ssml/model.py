"""The models: either network alone, or both as they are trained."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch
from torch import nn

from spikecore import Output, Stage, UsageError
from spikecore_plugin_ssml.config import BranchConfig, Ends, MutualConfig, NbsnConfig, Pretext, Variant
from spikecore_plugin_ssml.fusion import FusionBSN
from spikecore_plugin_ssml.guard import factors, thinned
from spikecore_plugin_ssml.labels import tfi_label, tfp_label
from spikecore_plugin_ssml.masking import masked
from spikecore_plugin_ssml.tiles import in_exact_tiles
from spikecore_plugin_ssml.variants import Branch, build_branch, build_double
from spikecore_plugin_ssml.window import spikes_of, window_for

if TYPE_CHECKING:
    from spikecore import Batch

ADAM = {"use": "adam", "lr": 3e-4}
COSINE = {"use": "cosine", "floor": 0.01}


def labels_of(spikes: torch.Tensor) -> dict[str, torch.Tensor]:
    """Both pseudo-labels of frame 20: {"tfi", "tfp"}, float32 (N, 1, H, W)."""
    return {"tfi": tfi_label(spikes), "tfp": tfp_label(spikes)}


class _Branch(nn.Module):
    """One network as a model."""

    branch: Branch

    def __init__(self, config: BranchConfig) -> None:
        super().__init__()
        self.config = config
        self.window = window_for(config.ends)
        self.network = build_branch(config.variant, self.branch, config.padding)

    def forward(self, batch: Batch, /) -> Output:
        """{"image"}, float32 (N, 1, H, W) in spikes per frame; in training also "tfi", "tfp" and the branch's name.

        Raises:
            UsageError: If the batch carries no spikes, was not cut to the window, or is smaller than 4×4 pixels.
        """
        spikes = spikes_of(batch, self.config.ends)
        if self.training:
            image = self._image(spikes) * self.config.output_gain
            return {"image": image, self.branch: image, **labels_of(spikes)}
        spikes, scale = self._guarded(spikes)
        return {"image": self._image(spikes).float() * (scale * self.config.output_gain)}

    def _image(self, spikes: torch.Tensor) -> torch.Tensor:
        image: torch.Tensor = self.network(spikes.to(next(self.network.parameters()).dtype))
        return image

    def _guarded(self, spikes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Spikes the weights are valid for, and what their result is to be multiplied by, (N, 1, 1, 1)."""
        scale = spikes.new_ones((len(spikes), 1, 1, 1))
        limit = self.config.rate_limit
        found = factors(spikes, limit).tolist() if limit else [1]
        if max(found) == 1:
            return spikes, scale
        over = f"the local spike rate exceeds {limit:g} per frame, up to which these weights are valid"
        if not self.config.rate_guard:
            warnings.warn(f"{over}; rate_guard = true keeps every k-th spike only", stacklevel=2)
            return spikes, scale
        warnings.warn(f"{over}; only every k-th spike is kept", stacklevel=2)
        kept = torch.stack([thinned(item, factor) for item, factor in zip(spikes, found, strict=True)])
        return kept, scale * scale.new_tensor(found).view(-1, 1, 1, 1)


class Nbsn(_Branch):
    """The network that sees every pixel: sharper, learns from the blind one.

    Raises:
        UsageError: If tiles are asked for that would not be exact.
    """

    branch: Branch = "nbsn"

    def __init__(self, config: NbsnConfig) -> None:
        super().__init__(config)
        if config.tile and config.variant is not Variant.A:
            raise UsageError(
                f"tile={config.tile} is exact for variant a alone\n  try: the runner's --tile {config.tile}"
            )
        self.tile = config.tile

    def _image(self, spikes: torch.Tensor) -> torch.Tensor:
        return in_exact_tiles(self.network, spikes, self.tile) if self.tile else super()._image(spikes)

    def stages(self) -> list[Stage]:
        """Alone it can only fit the label, which it then copies with its noise: a start, not a method."""
        return [Stage("label", steps=1000, losses={"ssml/reconstruction": 1.0}, optimiser=ADAM, schedule=COSINE)]


class Bsn(_Branch):
    """The blind-spot network: learns from noisy labels because it cannot see the pixel it predicts."""

    branch: Branch = "bsn"

    def stages(self) -> list[Stage]:
        """The pretext task."""
        return [Stage("pretext", steps=3000, losses={"ssml/reconstruction": 1.0}, optimiser=ADAM, schedule=COSINE)]


class Mutual(nn.Module):
    """Both networks, for training; as a method it gives what the ordinary one sees."""

    def __init__(self, config: MutualConfig) -> None:
        super().__init__()
        self.config = config
        self.window = window_for(Ends.REFUSE)
        architectural = config.pretext is Pretext.ARCHITECTURAL
        self.network = build_double(config.variant, config.padding, blind=architectural)

    def forward(self, batch: Batch, /) -> Output:
        """{"image", "nbsn", "bsn", "tfi", "tfp"}, each (N, 1, H, W) in spikes per frame; "image" is "nbsn".

        While only the blind network trains the other is not run; "image" and "nbsn" are then left out. With
        `pretext = "masked"` "bsn" is not blind; instead pixels of its input are hidden in training, "mask" says which.
        Variant E adds "fused", what the blind network and the pixel's own spikes say together, and its labels: see
        `FusionBSN.views`.

        Raises:
            UsageError: If the batch carries no spikes, was not cut to the window, or is smaller than 4×4 pixels.
        """
        spikes = spikes_of(batch)
        output = labels_of(spikes)
        seen = spikes
        if self.training and self.config.pretext is Pretext.MASKED:
            seen, output["mask"] = masked(spikes, self.config.masked)
        blind = self.network.bsn
        output |= blind.views(seen) if isinstance(blind, FusionBSN) else {"bsn": blind(seen)}
        if not self.training or any(one.requires_grad for one in self.network.nbsn.parameters()):
            output["image"] = output["nbsn"] = self.network.nbsn(spikes)
        return output

    def stages(self) -> list[Stage]:
        """Pretext: the blind network on the label alone. Mutual: the other learns from it, and a little in return.

        For variant E the recipes set options of the loss ssml/mutual besides, so that it learns from "fused" or "both".
        """
        own = self.config.variant is Variant.E
        pretext = {"ssml/fusion" if own else "ssml/reconstruction": 1.0}
        both = pretext | {"ssml/mutual": 5.0 if own else 0.01}
        only = {"network.bsn.*": 1.0}
        return [
            Stage("pretext", steps=1000, losses=pretext, optimiser=ADAM, trains=only),
            Stage("mutual", steps=5000, losses=both, optimiser=ADAM, schedule=COSINE),
        ]
