"""Targets, and their inputs: each is determined by the campaign's seed and its own number, in any process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import attrs
import numpy as np
from mutate import mutate


@attrs.frozen
class Target:
    """A reader and the files it is given.

    Args:
        build: Writes good files: each folder in the one it is given is a seed.
        victim: Patterns, with | between them, one of which names the file in a seed that is damaged.
        use: Reads a damaged seed; gives its value as a text that is equal for equal values.
        share: How many of the campaign's inputs are for it, relative to the others.
        checked: The format has checksums, or is the project's own: another value than the seed's is a fault.
        text: People edit such files.
        writes: Reading changes the folder, so each input needs a fresh one.
        exact: The seeds are the inputs, as they are.
    """

    build: Callable[[Path], None]
    victim: str
    use: Callable[[Path], str]
    share: float = 1
    checked: bool = False
    text: bool = False
    writes: bool = False
    exact: bool = False


@attrs.frozen
class Input:
    """One damaged file.

    Args:
        seed: Number of the good file it was made of.
        data: Its bytes; None for the good file as it is.
        repaired: Checksums inside are right, so that no reader could notice.
    """

    seed: int
    data: bytes | None
    repaired: bool


class Inputs:
    """All inputs of a target whose seeds lie in a folder."""

    def __init__(self, name: str, target: Target, folder: Path) -> None:
        self.name, self.target = name, target
        self.seeds = sorted(path for path in folder.iterdir() if path.is_dir())
        self.victims = [self._victim(seed) for seed in self.seeds]
        self.good = [(seed / victim).read_bytes() for seed, victim in zip(self.seeds, self.victims, strict=True)]

    def _victim(self, seed: Path) -> Path:
        patterns = self.target.victim.split("|")
        found = next(path for pattern in patterns for path in sorted(seed.glob(pattern)))
        return found.relative_to(seed)

    def __len__(self) -> int:
        return len(self.seeds)

    def make(self, campaign: int, number: int) -> Input:
        """Input number `number` of a campaign."""
        if self.target.exact:
            return Input(number, None, True)
        random = np.random.default_rng([campaign, crc32(self.name.encode()), number])
        seed, other = (int(one) for one in random.integers(len(self.seeds), size=2))
        return Input(seed, *mutate(random, self.good[seed], self.good[other], self.target.text))

    def lay(self, seed: int, data: bytes | None, place: Path, fresh: bool = False) -> Path:
        """Write an input where it is read; without `data` the good file. Returns its path."""
        folder = place / self.seeds[seed].name
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        if not folder.is_dir():
            shutil.copytree(self.seeds[seed], folder, symlinks=True)
        path = folder / self.victims[seed]
        if data is not None:
            path.unlink(missing_ok=True)  # never in place: an earlier input may still be mapped
            path.write_bytes(data)
        return path
