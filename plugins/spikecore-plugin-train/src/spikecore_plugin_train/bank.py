"""Samples of a second source that belong to none of the first, for losses and models that ask for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikecore import Sample, SpikeSource, TrainRun, UsageError, Window
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.data import TrainingSet
from spikecore_plugin_train.order import Order, Place

_BANK = 0xBA4C  # keeps these random numbers apart from those of the training samples


class Bank:
    """An endless sequence of samples: permutation after permutation of the source, each seen in a view of its own.

    What lies at a position depends on the seed alone: it is the same on one process or many, and after a restart.

    Args:
        source: Where samples come from.
        window: The spike frames that the model needs, for samples with spikes.
        config: Options of the trainer; samples are cut, cropped and turned as those that are trained on.
        seed: Of the run.
    """

    def __init__(self, source: SpikeSource, window: Window, config: LoopConfig, seed: int) -> None:
        self._samples = TrainingSet(source, window, config, seed, stream=_BANK)
        self._order = Order(len(source), 1, seed, stream=_BANK)
        self._held: tuple[int, np.ndarray[tuple[int], np.dtype[np.int64]]] | None = None

    def __getitem__(self, position: int) -> Sample:
        """The sample that goes with training sample number `position`, counted from the first of the first epoch."""
        epoch, number = divmod(position, len(self._samples))
        if self._held is None or self._held[0] != epoch:
            self._held = epoch, self._order.permutation(epoch)
        return self._samples[Place(epoch, int(self._held[1][number]))]


def wants_bank(asked: Any) -> bool:
    """True if a model or loss says `wants_bank = True`: its batches then carry `batch.bank`, at least in training."""
    return bool(getattr(asked, "wants_bank", False))


def check_bank(run: TrainRun) -> None:
    """Refuse a bank that nobody asks for, or that is missing or empty.

    Raises:
        UsageError: Says who asks, or that nobody does.
    """
    askers = [name for name, one in [("the model", run.model), *run.losses.items()] if wants_bank(one)]
    if run.bank is None and askers:
        raise UsageError(f"{', '.join(askers)} asks for samples of a second source\n  try: a table [bank]")
    if run.bank is not None and not askers:
        raise UsageError("neither the model nor a loss asks for the samples of [bank]\n  try: leave it out")
    if run.bank is not None and not len(run.bank):
        raise UsageError("the bank holds no samples")
