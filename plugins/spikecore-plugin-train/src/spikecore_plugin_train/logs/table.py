"""A training run as CSV: one value a line, so that stages may have values of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from spikecore import OutputError, hookimpl
from spikecore.files.atomic import write_text

HEADER = ("step", "name", "value")


class CsvLog:
    """Writes DIRECTORY/log.csv. After a restart, lines of steps that are taken again are removed first.

    Args:
        directory: Of the run.
        every: Steps between two entries.
    """

    def __init__(self, directory: Path, every: int) -> None:
        self.path, self.every = directory / "log.csv", every
        self._file: IO[str] | None = None
        self._step = 0

    @hookimpl
    def spikecore_step_end(self, step: int, values: Mapping[str, float]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if self._file is None:
            self._open(step)
        self._step = step
        if step % self.every == 0 or step == 1:
            self._write(values)

    @hookimpl
    def spikecore_epoch_end(self, scores: Mapping[str, float]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self._write(scores)

    @hookimpl
    def spikecore_run_end(self) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if self._file is not None:
            with suppress(OSError):  # what could not be written was told when it was
                self._file.close()
            self._file = None

    def _open(self, step: int) -> None:
        rows = []
        if self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.reader(file) if len(row) == 3 and row[0].isdigit() and int(row[0]) < step]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
        write_text(self.path, text.getvalue())
        self._file = self.path.open("a", newline="", encoding="utf-8")

    def _write(self, values: Mapping[str, float]) -> None:
        if self._file is None:
            return
        try:
            writer = csv.writer(self._file, lineterminator="\n")
            writer.writerows((self._step, name, f"{value:.9g}") for name, value in values.items())
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self.path} could not be written: {error.strerror}") from error
