"""A file that is written aside and renamed when it is complete."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError
from spikecore.files.atomic import aside, publish
from spikecore.plugin.sink import Target


class AsideFile:
    """A file written aside. Subclasses write to `self.temporary` and finish it in `_close`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.temporary = aside(target.path)
        self.written = 0
        self._shape: tuple[int, ...] = ()

    @abstractmethod
    def _close(self) -> None: ...

    def _guard(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except OSError as error:
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
        partial = self.target.path.with_name(f"{self.target.path.stem}.partial{self.target.path.suffix}")
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
