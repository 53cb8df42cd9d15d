"""Outputs that one process at a time writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from zlib import crc32

from spikecore.errors import OutputError, UsageError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold an output: a folder, or a file and what belongs to it. The lock is a file, ".lock" in the folder.

    The system lets go of it when the process ends, however it ends; where it has no such locks (`fcntl`), the file of
    a process that was killed has to be removed by hand.

    Raises:
        UsageError: If it is held already, by another process or by this one.
        OutputError: If the lock cannot be made.
    """
    path = Path(os.path.realpath(path))
    lock = (
        path / ".lock" if path.is_dir() else path.with_name(f".{path.name[:40]}-{crc32(path.name.encode()):08x}.lock")
    )
    try:
        descriptor = _locked(lock)
    except BlockingIOError:
        number = ""
        with suppress(OSError):
            number = lock.read_text(encoding="utf-8", errors="replace").strip()[:20]
        other = "output" if lock.parent != path else "folder"
        remedy = "" if fcntl else f"; if there is no such process, remove {lock}"
        raise UsageError(
            f"{path} is in use by process {number or 'unknown'}; wait for it, or name another {other}{remedy}"
        ) from None
    except OSError as error:
        raise OutputError(f"{path} cannot be used as an output: {error.strerror or error}") from error
    try:
        yield
    finally:
        if not fcntl:
            os.close(descriptor)  # there, open files cannot be removed
        with suppress(OSError):
            lock.unlink()
        if fcntl:
            os.close(descriptor)


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Make a folder for results, if need be, and hold it; see `held`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be a folder for results: {error.strerror or error}") from error
    with held(folder):
        yield


def clear(lock: Path) -> None:
    """Remove the lock of a file whose process was killed; one that is held stays."""
    if fcntl:
        with suppress(OSError):
            descriptor = _locked(lock)
            lock.unlink()
            os.close(descriptor)


def _locked(lock: Path) -> int:
    """A descriptor of the lock file, which is ours alone.

    Raises:
        BlockingIOError: If it is another's.
    """
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | (0 if fcntl else os.O_EXCL), 0o644)
        except FileExistsError:
            raise BlockingIOError from None
        try:
            if fcntl:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not _same(lock, descriptor):  # its owner removed it in between
                    os.close(descriptor)
                    continue
                os.ftruncate(descriptor, 0)
            with suppress(OSError):  # a full disk: what cannot be written is said where that is an output
                os.write(descriptor, f"{os.getpid()}\n".encode())
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def _same(lock: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(lock), os.fstat(descriptor))
    except FileNotFoundError:
        return False
