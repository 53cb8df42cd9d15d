"""Micro-batches from a training set, prepared in this process or in workers."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator, Sequence

import attrs
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from spikecore import Batch, Sample, collate
from spikecore_plugin_train.bank import Bank
from spikecore_plugin_train.data import TrainingSet
from spikecore_plugin_train.order import Order, Place


class Places(Sampler[Sequence[Place]]):
    """The order as a batch sampler; starting in the middle reads nothing of what lies before."""

    def __init__(self, order: Order, epoch: int, number: int, steps: int) -> None:
        self.order, self.start = order, (epoch, number, steps)

    def __iter__(self) -> Iterator[list[Place]]:
        return self.order.places(*self.start)


class Paired(Dataset[tuple[Sample, Sample | None]]):
    """Training samples, each with one of the bank if there is one; whatever prepares samples prepares both."""

    def __init__(self, training: TrainingSet, bank: Bank | None) -> None:
        self.training, self.bank = training, bank

    def __getitem__(self, place: Place) -> tuple[Sample, Sample | None]:
        return self.training[place], None if self.bank is None else self.bank[place.position]


def batches(
    training: TrainingSet, places: Places, workers: int, seed: int, bank: Bank | None = None
) -> Generator[Batch, None, None]:
    """Micro-batches in the order of `places`, with as many samples of the bank; closing ends the workers.

    The loader has a random generator of its own: else every new iterator would draw its base seed from the global one,
    and a restart in the middle of an epoch would shift all random numbers that follow. Workers are started afresh
    (spawned): forked ones would keep the lock of the run's directory after their parent was killed.
    """
    generator = torch.Generator().manual_seed(seed)
    loader: DataLoader[tuple[Sample, Sample | None]] = DataLoader(
        Paired(training, bank),
        batch_sampler=places,
        num_workers=workers,
        collate_fn=_collate,
        generator=generator,
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_outlast,
    )
    yield from loader


def _outlast(worker: int) -> None:
    """Leave it to the training process to stop: signals reach its whole group, and its last step needs its workers.

    The second SIGTERM ends a worker, as multiprocessing sends one to those that are left when a program ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.signal(number, signal.SIG_DFL))


def _collate(pairs: list[tuple[Sample, Sample | None]]) -> Batch:
    batch = collate([sample for sample, _ in pairs])
    second = [sample for _, sample in pairs if sample is not None]
    return attrs.evolve(batch, bank=collate(second)) if second else batch
