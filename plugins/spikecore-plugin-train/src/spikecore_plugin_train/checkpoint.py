"""Checkpoints: one file each, written aside and renamed, read without unpickling objects."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from spikecore import OutputError, SpikeFormatError, WeightsError, read_checkpoint
from spikecore.files.atomic import atomic

FORMAT = "spikecore checkpoint 1"


class CheckpointWarning(UserWarning):
    """A checkpoint could not be read and an older one is used."""


class Store:
    """The checkpoints of one run: DIRECTORY/checkpoints/step-NUMBER.pt and best.pt.

    Args:
        directory: Of the run.
        keep: Newest checkpoints that stay, besides the best.
    """

    def __init__(self, directory: Path, keep: int) -> None:
        self.directory, self.folder, self.keep = directory, directory / "checkpoints", keep

    @property
    def best(self) -> Path:
        """Where the best checkpoint lies."""
        return self.folder / "best.pt"

    def path(self, step: int) -> Path:
        """Where the checkpoint of a step lies."""
        return self.folder / f"step-{step:09d}.pt"

    def paths(self) -> list[Path]:
        """Checkpoints from the newest to the oldest; the best one comes last."""
        return [*sorted(self.folder.glob("step-*.pt"), reverse=True), *self.folder.glob("best.pt")]

    def save(self, path: Path, content: Mapping[str, Any]) -> None:
        """Write a checkpoint and remove those that are too many.

        Raises:
            OutputError: If it cannot be written; says which older one is valid.
        """
        buffer = io.BytesIO()
        torch.save({"format": FORMAT, **content}, buffer)  # into memory: torch hides the reason if a disk is full
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic(path) as temporary:
                temporary.write_bytes(buffer.getbuffer())
        except (OSError, OutputError) as error:
            valid = next((found.name for found in self.paths()), None)
            kept = f"{valid} is complete; make room and go on with --resume" if valid else "there is no older one"
            raise OutputError(f"no checkpoint: {error}\n  {kept}") from error
        held = [found for found in sorted(self.folder.glob("step-*.pt")) if found.name <= path.name]
        for old in (
            held[: -self.keep] if path != self.best else []
        ):  # newer ones could not be read; they count for nothing
            old.unlink()

    def newest(self) -> tuple[Path, dict[str, Any]] | None:
        """The newest checkpoint that can be read, with a warning for each that cannot; None if there is none.

        Raises:
            SpikeFormatError: If there are some and none can be read.
        """
        for path in (paths := self.paths()):
            try:
                return path, read(path)
            except SpikeFormatError as error:
                older = "an older one is used" if path != paths[-1] else "it was the last one"
                warnings.warn(f"{error}; {older}", CheckpointWarning, stacklevel=2)
        if paths:
            hint = "remove the folder to begin anew"
            raise SpikeFormatError(self.folder, f"none of {len(paths)} checkpoints can be read", hint=hint)
        return None

    def tidy(self) -> None:
        """Remove unfinished files that a killed process left."""
        for left in self.folder.glob(".*.partial.pt"):
            left.unlink()


def read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint.

    Raises:
        SpikeFormatError: If the file is cut off, altered, or no checkpoint.
    """
    try:
        content = read_checkpoint(path)
    except WeightsError as error:
        raise SpikeFormatError(path, f"unreadable checkpoint ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SpikeFormatError(path, "not a checkpoint of this engine", expected=FORMAT)
    return content
