"""A file that is written aside and renamed when it is complete."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError
from spikecore.files.atomic import aside, behind, publish
from spikecore.plugin.sink import Target


def partial_of(path: Path) -> Path:
    """What was finished of a file is kept under this name when its run is stopped."""
    path = behind(path)
    return path.with_name(f"{path.stem}.partial{path.suffix}")


class AsideFile:
    """A file written aside. Subclasses write to `self.temporary` and finish it in `_close`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.temporary = aside(target.path)
        self.written = 0
        self._failed = False
        self._shape: tuple[int, ...] = ()

    @abstractmethod
    def _close(self) -> None: ...

    def _abandon(self) -> None:
        """Let go of a file that could not be written."""
        with suppress(Exception):
            self._close()

    def _guard(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except OSError as error:
            self._failed = True
            self._abandon()
            self.temporary.unlink(missing_ok=True)
            raise OutputError(f"{self.target.path} could not be written: {error.strerror or error}") from error

    def _alike(self, result: NDArray[np.float32]) -> None:
        """One file holds results of one shape; formats would spoil or drop another, some without a word."""
        if not self.written:
            self._shape = result.shape
        elif result.shape != self._shape:
            raise OutputError(
                f"{self.target.path}: result {self.written} has the shape {result.shape}, "
                f"those before it {self._shape}; one file holds results of one shape\n"
                "  try: fewer instants, whose results are alike"
            )

    def commit(self) -> Path:
        """See `Sink`."""
        self._guard(self._close)
        self._guard(lambda: publish(self.temporary, self.target.path))
        return self.target.path

    def interrupt(self) -> Path | None:
        """See `Sink`."""
        if self._failed:
            return None
        partial = partial_of(self.target.path)
        try:
            self._close()
            if not self.written:
                return None
            publish(self.temporary, partial)
        except (OSError, OutputError):
            return None
        finally:
            self.temporary.unlink(missing_ok=True)
        return partial
