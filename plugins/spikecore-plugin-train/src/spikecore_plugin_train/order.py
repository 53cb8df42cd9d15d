"""Which samples are seen when, and by which process: a function of seed and position, so nothing is iterated to skip.

Every epoch is a permutation of all samples, cut into batches; the last one may be smaller. A batch is cut into equal
parts for the processes, and these into micro-batches. No sample is padded or dropped: where a batch does not divide,
parts differ by one sample, and each part's loss counts by its share of the samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import attrs
import numpy as np

_ORDER = 0x0DE4  # keeps this stream of random numbers apart from those of augmentation and of processes


class Place(NamedTuple):
    """What the data set is asked for.

    Args:
        epoch: Number of the pass over the data, from 0.
        item: Number of the sample, which is seen in another way in each epoch.
        position: Samples that come before this one, over all epochs.
    """

    epoch: int
    item: int
    position: int = 0


@attrs.frozen
class Share:
    """What one process takes of one optimiser step.

    Args:
        epoch: Number of the pass over the data, from 0.
        number: Number of the batch in the epoch, from 0.
        micros: The samples of each micro-batch; none of them is empty, but there may be none.
        size: Samples of the whole batch, over all processes.
        last: True for the last batch of the epoch.
    """

    epoch: int
    number: int
    micros: tuple[tuple[Place, ...], ...]
    size: int
    last: bool


@attrs.frozen
class Order:
    """The order of samples.

    Args:
        samples: Number of samples of the source.
        batch: Samples of one optimiser step, all processes together.
        seed: Of the run.
        rank: Number of this process.
        processes: Number of processes.
        accumulate: Micro-batches of each process.
        stream: Keeps the orders of several sources apart.
    """

    samples: int
    batch: int
    seed: int
    rank: int = 0
    processes: int = 1
    accumulate: int = 1
    stream: int = _ORDER

    @property
    def batches(self) -> int:
        """Optimiser steps of one epoch."""
        return -(-self.samples // self.batch)

    def permutation(self, epoch: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """All sample numbers in the order of an epoch."""
        return np.random.default_rng([self.stream, self.seed, epoch]).permutation(self.samples)

    def shares(self, epoch: int, number: int, steps: int) -> Iterator[Share]:
        """The shares of `steps` optimiser steps, from batch `number` of `epoch` on, over as many epochs as it takes."""
        while steps > 0:
            order = self.permutation(epoch)
            for position in range(number, min(self.batches, number + steps)):
                yield self._share(epoch, position, order)
            steps -= self.batches - number
            epoch, number = epoch + 1, 0

    def _share(self, epoch: int, number: int, order: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Share:
        begin = number * self.batch
        items = order[begin : begin + self.batch].tolist()
        whole = [Place(epoch, item, epoch * self.samples + begin + n) for n, item in enumerate(items)]
        parts = np.array_split(np.arange(len(whole)), self.processes * self.accumulate)
        own = parts[self.rank * self.accumulate : (self.rank + 1) * self.accumulate]
        micros = tuple(tuple(whole[n] for n in part) for part in own if len(part))
        return Share(epoch, number, micros, len(whole), number == self.batches - 1)

    def places(self, epoch: int, number: int, steps: int) -> Iterator[list[Place]]:
        """The micro-batches of `shares` one after the other, as a data loader takes them."""
        for share in self.shares(epoch, number, steps):
            yield from map(list, share.micros)
