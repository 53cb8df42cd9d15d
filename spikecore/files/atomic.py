"""Writing files so that nothing half-written ever has a final name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from spikecore.errors import OutputError


def aside(path: Path) -> Path:
    """A name in the same folder, with the same suffix, for the unfinished file.

    Raises:
        OutputError: If the folder is missing or cannot be written to, or `path` is a folder.
    """
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: there is no folder {folder}\n  try: mkdir -p {folder}")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give a file name inside it")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path}: the folder {folder} cannot be written to")
    return path.with_name(f".{path.stem}-{uuid4().hex[:8]}.partial{path.suffix}")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path; on success it is flushed to disk and renamed to `path`, else removed.

    Raises:
        OutputError: If it cannot be written (missing folder, no permission, disk full); an older `path` stays intact.
    """
    with together(path) as files:
        yield files[path]


@contextmanager
def together(path: Path) -> Iterator[dict[Path, Path]]:
    """As `atomic` for a file and its companions: yields {final: temporary path}, to which others may be added.

    All of them are complete and on the disk before the first has its final name; `path` is the first.
    """
    files = {path: aside(path)}
    try:
        yield files
        for temporary in files.values():
            flush(temporary)
        for final, temporary in files.items():
            os.replace(temporary, final)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        for temporary in files.values():
            temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(temporary: Path, path: Path) -> None:
    """Flush a finished file to disk and give it its final name."""
    flush(temporary)
    os.replace(temporary, path)


def file_name(key: str) -> str:
    """A sample's key as the name of one file or folder; different keys have different names.

    >>> file_name("night/clip 7"), file_name("scene-0-1")
    ('night%2Fclip 7', 'scene-0-1')
    """
    return re.sub(r"^\.|[/\\%\x00-\x1f]", lambda found: f"%{ord(found[0]):02X}", key)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
