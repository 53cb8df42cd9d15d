"""A training run for TensorBoard, written by tensorboardX."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from spikecore import hookimpl


class TensorboardLog:
    """Writes DIRECTORY/tensorboard: values, scores and pictures of validation samples.

    Args:
        directory: Of the run.
        every: Steps between two entries.
    """

    def __init__(self, directory: Path, every: int) -> None:
        self.folder, self.every = directory / "tensorboard", every
        self._writer: Any = None
        self._step = 0

    @hookimpl
    def spikecore_step_end(self, step: int, values: Mapping[str, float]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if self._writer is None:
            writer = import_module("tensorboardX").SummaryWriter
            self._writer = writer(str(self.folder), purge_step=step)  # forgets steps that are taken again
        self._step = step
        if step % self.every == 0 or step == 1:
            self._write(values)

    @hookimpl
    def spikecore_epoch_end(self, scores: Mapping[str, float]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self._write(scores)

    @hookimpl
    def spikecore_checkpoint_saved(self, path: Path) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if path.suffix == ".png" and self._writer is not None:
            from spikecore.files.pictures import read_image

            self._writer.add_image(path.stem, read_image(str(path)), self._step, dataformats="HW")

    @hookimpl
    def spikecore_run_end(self) -> None:
        """See `spikecore.plugin.hookspecs`."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, values: Mapping[str, float]) -> None:
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, self._step)
