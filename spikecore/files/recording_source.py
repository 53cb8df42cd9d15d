"""The base of sources that are one recording in one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from spikecore.data.sample import Sample


class OneRecording(ABC):
    """A source of one sample, which is read when it is asked for.

    Subclasses look at the file in `__init__`, as far as it takes to refuse what cannot be read, and keep what they
    found but no open file: sources are sent to other processes.

    Args:
        path: The recording.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int, /) -> Sample:
        if index != 0:
            raise IndexError(f"{self.path} is one recording, there is no number {index}")
        return self.read()

    @abstractmethod
    def read(self) -> Sample:
        """The sample; equal each time."""
