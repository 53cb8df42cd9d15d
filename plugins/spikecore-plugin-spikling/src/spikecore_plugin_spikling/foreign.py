"""Checkpoints of the original project, also its older ones, for the network here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from spikecore import Imported, WeightsError
from spikecore_plugin_spikling.network import SemiUnet

_LISTED = 3


def import_generator(checkpoint: Mapping[str, Any]) -> Imported:
    """The generator's tensors: a state_dict, or the entry "netG_state" of an old {"netG_state", "netD_state"}.

    Raises:
        WeightsError: If they are not those of the Semi-UNet; lists the first differences.
    """
    held = checkpoint.get("netG_state", checkpoint)
    if not isinstance(held, Mapping):
        raise WeightsError(f'"netG_state" is a {type(held).__name__}, expected tensors by name')
    with torch.device("meta"):
        wanted = {name: tuple(value.shape) for name, value in SemiUnet().state_dict().items()}
    found = {str(name): _shape(value) for name, value in held.items()}
    missing = [f"missing {name}" for name in wanted if name not in found]
    unexpected = [f"unexpected {name}" for name in found if name not in wanted]
    odd = [name for name, shape in wanted.items() if found.get(name, shape) != shape]
    differing = [f"{name} is {found[name]}, expected {wanted[name]}" for name in odd]
    faults = [fault for kind in (missing, unexpected, differing) for fault in kind[:_LISTED]]
    if faults:
        rest = len(missing) + len(unexpected) + len(differing) - len(faults)
        more = f" and {rest} more" if rest else ""
        raise WeightsError(f"no weights of spikling's Semi-UNet: {'; '.join(faults)}{more}")
    return Imported({name: held[name].float() for name in wanted})


def _shape(value: Any) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
