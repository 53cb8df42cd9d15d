"""Which tensors of a model a checkpoint holds: those of its network, and what trains besides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import nn

from spikecore import SpikeFormatError, UsageError


class Kept:
    """The tensors of a model that can change while it trains; all others, such as a big frozen encoder, are left out.

    Left out are parameters outside the network that no stage trains, and the buffers of modules that hold nothing else:
    stages put those in evaluation mode. The model's own construction has to make them the same again.

    Args:
        model: Whose tensors.
        network: Its bare network, all of which is kept.
        trained: Names of the parameters that any stage trains.
    """

    def __init__(self, model: nn.Module, network: nn.Module, trained: Iterable[str]) -> None:
        self._model = model
        left = _left_out(model, network, frozenset(trained))
        self._names = [name for name in model.state_dict() if name not in left]
        self._digests = self._digested(left)

    @property
    def digest(self) -> str:
        """Of everything left out as it was at first; "" if that is nothing."""
        return sha256(repr(self._digests).encode()).hexdigest() if self._digests else ""

    def state(self) -> dict[str, torch.Tensor]:
        """The kept part of the model's state_dict."""
        state = self._model.state_dict()
        return {name: state[name] for name in self._names}

    def load(self, held: Mapping[str, torch.Tensor], path: Path) -> None:
        """Put the kept state of a checkpoint back into the model.

        Raises:
            SpikeFormatError: If a tensor is missing, is not one of those kept, or differs in shape.
        """
        what = "a checkpoint of another model"
        missing, foreign = sorted(set(self._names) - set(held)), sorted(set(held) - set(self._names))
        if missing or foreign:
            found = f"missing {', '.join(missing[:8]) or 'nothing'}; unexpected {', '.join(foreign[:8]) or 'nothing'}"
            raise SpikeFormatError(path, f"{what}: {found}", expected=f"{len(self._names)} tensors of this model")
        try:
            self._model.load_state_dict(held, strict=False)  # what it lacks was compared above
        except RuntimeError as error:
            raise SpikeFormatError(path, f"{what}: {error}") from error

    def refuse_changes(self) -> None:
        """Make sure that what is left out is as it was at first.

        Raises:
            UsageError: Names what changed, for example a copy of the network that the model itself keeps up to date.
        """
        now = self._digested(self._digests)
        changed = [name for name, digest in self._digests.items() if now[name] != digest]
        if changed:
            raise UsageError(
                f"{', '.join(changed[:4])} changed, though no stage trains it: checkpoints would not hold that\n"
                "  try: let the model's network hold it"
            )

    def _digested(self, names: Collection[str]) -> dict[str, str]:
        if not names:
            return {}
        state = self._model.state_dict()
        return {name: _digest(state[name]) for name in sorted(names)}


def _left_out(model: nn.Module, network: nn.Module, trained: frozenset[str]) -> set[str]:
    kept = {id(value) for value in network.state_dict(keep_vars=True).values()}
    kept |= {id(parameter) for name, parameter in model.named_parameters() if name in trained}
    left: set[str] = set()
    for path, module in model.named_modules(remove_duplicate=False):
        parameters = dict(module.named_parameters(recurse=False))
        frozen = bool(parameters) and not any(id(value) in kept for value in parameters.values())
        tensors = parameters | (dict(module.named_buffers(recurse=False)) if frozen else {})
        left |= {f"{path}.{name}".lstrip(".") for name, value in tensors.items() if id(value) not in kept}
    return left & set(model.state_dict())


def _digest(tensor: torch.Tensor) -> str:
    values: Any = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return sha256(values).hexdigest()
