"""Checkpoints of the original projects: which variant they are of, and which part of them is meant."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import torch

from spikecore import Imported, WeightsError
from spikecore_plugin_ssml.config import Variant
from spikecore_plugin_ssml.variants import BRANCHES, Branch, build_branch, without_prefix

Shapes = frozenset[tuple[str, tuple[int, ...]]]
Part = Literal["bsn", "nbsn", "both"]

SPIKECV_LIMIT = 0.2
"""Spikes per frame up to which SpikeCV's nbsn_83000_simple.pth follows the spike rate; above, its output explodes."""


def nbsn(checkpoint: Mapping[str, Any]) -> Imported:
    """The ordinary network of a checkpoint: alone, or of both.

    Raises:
        WeightsError: If it is of no known variant, or of the blind network alone.
    """
    return _branch(checkpoint, "nbsn")


def bsn(checkpoint: Mapping[str, Any]) -> Imported:
    """The blind network of a checkpoint: alone, or of both.

    Raises:
        WeightsError: If it is of no known variant, or of the ordinary network alone.
    """
    return _branch(checkpoint, "bsn")


def mutual(checkpoint: Mapping[str, Any]) -> Imported:
    """A checkpoint with both networks.

    Raises:
        WeightsError: If it is of no known variant, or holds one network only.
    """
    tensors = tensors_of(checkpoint)
    found = recognised(tensors)
    for variant, part in found:
        if part == "both":
            return Imported(tensors, {"variant": variant.value})
    raise WeightsError(_misfit(tensors, found, "both networks, as ssml/mutual needs"))


def _branch(checkpoint: Mapping[str, Any], branch: Branch) -> Imported:
    tensors = tensors_of(checkpoint)
    found = recognised(tensors)
    for variant, part in found:
        if part == "both":
            own = {
                key.removeprefix(f"{branch}."): held for key, held in tensors.items() if key.startswith(f"{branch}.")
            }
            return Imported(own, {"variant": variant.value})
        if part == branch:
            if {(variant, other) for other in BRANCHES} <= set(found):
                warnings.warn(
                    f"both networks of variant {variant} look alike: make sure that this is {branch}", stacklevel=2
                )
            options: dict[str, object] = {"variant": variant.value}
            if (variant, part) == (Variant.A, "nbsn"):
                options["rate_limit"] = SPIKECV_LIMIT
            return Imported(tensors, options)
    raise WeightsError(_misfit(tensors, found, f"the network {branch}, as ssml/{branch} needs"))


def tensors_of(checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint, without prefixes.

    Takes a state dict, or a table that holds one under "state_dict", "model" or "net".

    Raises:
        WeightsError: If something in it is no tensor, or not finite.
    """
    for name in ("state_dict", "model", "net"):
        if isinstance(checkpoint.get(name), Mapping):
            checkpoint = checkpoint[name]
            break
    for key, value in checkpoint.items():
        if not isinstance(value, torch.Tensor):
            raise WeightsError(f"entry {key!r} is a {type(value).__name__}, expected only named tensors")
        if not bool(value.isfinite().all()):
            raise WeightsError(f"tensor {key!r} holds NaN or infinity")
    return {key: value.float() for key, value in without_prefix(checkpoint).items()}


def recognised(tensors: Mapping[str, torch.Tensor]) -> list[tuple[Variant, Part]]:
    """The variants and parts whose keys and shapes are exactly these; several where variants share a network."""
    shapes = frozenset((key, tuple(value.shape)) for key, value in tensors.items())
    return [(variant, part) for variant in Variant for part, table in _tables(variant).items() if table == shapes]


@cache
def _tables(variant: Variant) -> dict[Part, Shapes]:
    tables: dict[Part, Shapes] = {}
    with torch.device("meta"):
        for branch in BRANCHES:
            state = build_branch(variant, branch).state_dict()
            tables[branch] = frozenset((key, tuple(value.shape)) for key, value in state.items())
    tables["both"] = frozenset((f"{branch}.{key}", shape) for branch in BRANCHES for key, shape in tables[branch])
    return tables


def _misfit(tensors: Mapping[str, torch.Tensor], found: list[tuple[Variant, Part]], wanted: str) -> str:
    if found:
        is_of = " or ".join(f"{part} of variant {variant.value}" for variant, part in found)
        return f"the checkpoint holds {is_of}, not {wanted}"
    keys = ", ".join(list(tensors)[:3]) or "none"
    return f"the checkpoint is of no SSML variant: {len(tensors)} tensors ({keys}, …), not {wanted}"
