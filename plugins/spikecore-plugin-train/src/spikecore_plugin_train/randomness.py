"""The random generators of one process: seeded, and held as plain tensors for checkpoints."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

from spikecore import SpikeFormatError

_PROCESS = 0x9C35  # keeps these seeds apart from those of order and augmentation


def seed_process(seed: int, rank: int) -> None:
    """Seed torch, NumPy and Python for process number `rank`."""
    words = np.random.SeedSequence([_PROCESS, seed, rank]).generate_state(4)
    torch.manual_seed(int(words[0]) << 32 | int(words[1]))
    np.random.seed(int(words[2]))
    random.seed(int(words[3]))


def capture(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of all generators, each a tensor of fixed size."""
    version, words, gauss = random.getstate()
    state = np.random.get_state(legacy=False)
    assert isinstance(state, dict)  # with legacy=False
    drawn = [state["state"]["pos"], state["has_gauss"], state["gauss"]]
    held = {
        "torch": torch.get_rng_state(),
        "python": torch.tensor([version, *words], dtype=torch.int64),
        "python-gauss": torch.tensor(math.nan if gauss is None else gauss, dtype=torch.float64),
        "numpy": torch.from_numpy(state["state"]["key"].astype(np.int64)),
        "numpy-position": torch.tensor(drawn, dtype=torch.float64),
    }
    if device.type == "cuda":
        held["cuda"] = torch.cuda.get_rng_state(device)
    return held


def restore(states: Mapping[str, torch.Tensor], device: torch.device) -> None:
    """Put all generators into the captured states.

    Every tensor is copied first: `torch.set_rng_state` of a view into a larger tensor ends the process.

    Raises:
        SpikeFormatError: If the states are not those of these generators.
    """
    held = {name: state.detach().cpu().clone(memory_format=torch.contiguous_format) for name, state in states.items()}
    try:
        torch.set_rng_state(held["torch"])
        version, *words = held["python"].tolist()
        gauss = float(held["python-gauss"])
        random.setstate((version, tuple(words), None if math.isnan(gauss) else gauss))
        position, has_gauss, value = held["numpy-position"].tolist()
        key = held["numpy"].numpy().astype(np.uint32)
        np.random.set_state(("MT19937", key, int(position), int(has_gauss), value))
        if device.type == "cuda" and "cuda" in held:
            torch.cuda.set_rng_state(held["cuda"], device)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SpikeFormatError("random state", str(error), expected="the states of four generators") from error


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Whatever is drawn inside, the generators are as before when it ends."""
    held = capture(device)
    try:
        yield
    finally:
        restore(held, device)
