"""Which network each variant is made of, and which variant a checkpoint is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from torch import nn

from spikecore_plugin_ssml.blocks import BlindUNet
from spikecore_plugin_ssml.config import FRAMES, Padding, Variant
from spikecore_plugin_ssml.fusion import FusionBSN, FusionNBSN
from spikecore_plugin_ssml.networks import BSN, BlindVideoNetSpike, DoubleNet, NorotaMultiSpike

Branch = Literal["bsn", "nbsn"]
BRANCHES: tuple[Branch, ...] = ("bsn", "nbsn")


def build_branch(
    variant: Variant, branch: Branch, padding: Padding = Padding.OWN, blind: bool | None = None
) -> nn.Module:
    """One network of a variant, with fresh weights.

    D has no ordinary network of its own; here it is the blind one without its shifts, as in B.

    Args:
        variant: Which of a to e.
        branch: Which of the two networks.
        padding: Around pictures that are not square.
        blind: False for a `bsn` that sees every pixel (a to d); by default that branch is blind and the other is not.
    """
    own = Padding.ZERO if variant is Variant.A else Padding.REFLECT
    pad = own if padding is Padding.OWN else padding
    shut = branch == "bsn" if blind is None else blind
    if branch == "bsn":
        makers: dict[Variant, Callable[[], nn.Module]] = {
            Variant.A: lambda: BSN(shut, motion=False, padding=pad),
            Variant.B: lambda: BSN(shut, padding=pad),
            Variant.C: lambda: BSN(shut, padding=pad),
            Variant.D: lambda: BlindVideoNetSpike(shut, padding=pad),
            Variant.E: FusionBSN,
        }
    else:
        makers = {
            Variant.A: lambda: BlindUNet(FRAMES, 1, blind=False),
            Variant.B: lambda: BSN(blind=False, padding=pad),
            Variant.C: NorotaMultiSpike,
            Variant.D: lambda: BlindVideoNetSpike(blind=False, padding=pad),
            Variant.E: FusionNBSN,
        }
    return makers[variant]()


def build_double(variant: Variant, padding: Padding = Padding.OWN, blind: bool = True) -> DoubleNet:
    """Both networks of a variant; `bsn` is drawn first, and sees every pixel where `blind` is false."""
    bsn = build_branch(variant, "bsn", padding, blind)
    return DoubleNet(bsn, build_branch(variant, "nbsn", padding))


def without_prefix(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors without the prefix `module.` that DataParallel gives to every key."""
    return {key.removeprefix("module."): value for key, value in tensors.items()}
