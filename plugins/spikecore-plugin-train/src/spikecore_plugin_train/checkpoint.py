"""Checkpoints: one file each, written aside and renamed, read without unpickling objects."""

from __future__ import annotations

import fcntl
import io
import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from spikecore import OutputError, SpikeFormatError, UsageError
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
            _flush(self.folder)
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
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch itself does not compare checksums
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a cut file raises one of a dozen kinds; all mean the same here
        raise SpikeFormatError(path, f"unreadable checkpoint ({type(error).__name__}: {error})") from error
    if damaged is not None:
        raise SpikeFormatError(path, f"damaged checkpoint: the checksum of {damaged} is wrong")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SpikeFormatError(path, "not a checkpoint of this engine", expected=FORMAT)
    return content


def _flush(folder: Path) -> None:
    """Make a rename in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory of a run; the system lets go of it when the process ends, however it ends.

    Raises:
        UsageError: If another process holds it.
        OutputError: If the directory cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(f"{directory} cannot be used for a run: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise UsageError(f"{directory} is in use by process {owner}; wait for it, or name another folder") from None
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
