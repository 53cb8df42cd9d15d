"""Exponential moving average of weights: a_t = d_t·a_{t-1} + (1 - d_t)·w_t.

d_t = min(d, (1 + t) / (10 + t)), as in TensorFlow's ExponentialMovingAverage: a fixed d close to 1 would hold on to the
random weights of the start for thousands of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from spikecore import SpikeFormatError


class Average:
    """An average of everything in a model that can change, judged and exported in place of the last weights.

    Args:
        state: Tensors of a model by name, on their device already; their values are the average's first.
        decay: d, at least 0 and below 1; 0 keeps no average.
    """

    def __init__(self, state: Mapping[str, torch.Tensor], decay: float) -> None:
        self.decay = decay
        self._live = {name: value.detach() for name, value in state.items()} if decay else {}
        self.state = {name: value.clone() for name, value in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimiser step number `step`, the first being 1; integers (counters) are copied."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in self._live.items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - decay)
            else:
                self.state[name].copy_(value)

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take the average from a checkpoint.

        Raises:
            SpikeFormatError: If it is of another model, or was not kept there.
        """
        if set(state) != set(self.state):
            found = f"{len(state)} averaged tensors" if state else "no average of weights"
            raise SpikeFormatError("checkpoint", found, expected=f"{len(self.state)}; is ema as it was?")
        for name, value in state.items():
            self.state[name].copy_(value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the model has the averaged weights; afterwards exactly those it had."""
        if not self.decay:
            yield
            return
        held = {name: value.clone() for name, value in self._live.items()}
        self._put(self.state)
        try:
            yield
        finally:
            self._put(held)

    @torch.no_grad()
    def _put(self, state: Mapping[str, torch.Tensor]) -> None:
        for name, value in self._live.items():
            value.copy_(state[name])
