"""Where the outside world ends: files are looked at before they are opened, and every failure becomes one exception."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikecore.errors import SpikecoreError, SpikeFormatError

_LFS = b"version https://git-lfs.github.com/spec/"
_PAGES = (b"<!doctype html", b"<html", b"<?xml")
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def file_size(path: Path, expected: str) -> int:
    """Size in bytes of a regular file that is neither empty nor something else in its place.

    The kind of file is asked before it is opened: opening a named pipe would wait for ever.

    Args:
        path: The file.
        expected: What it should be, for messages.

    Raises:
        SpikeFormatError: If it is missing, a folder, pipe or device, empty, a Git LFS pointer or a web page.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise SpikeFormatError(path, f"cannot be opened: {_reason(error)}", expected=expected) from None
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")
        hint = "a folder of recordings is read with source='vidar/folder' (--source vidar/folder)"
        raise SpikeFormatError(path, kind, expected=expected, hint=hint if kind == "a folder" else "")
    if status.st_size == 0:
        raise SpikeFormatError(path, "empty file", expected=expected)
    with refusing(path, expected), path.open("rb") as file:
        _refuse_stand_ins(path, file.read(256), expected)
    return status.st_size


def _refuse_stand_ins(path: Path, start: bytes, expected: str) -> None:
    if start.startswith(_LFS):
        hint = f"fetch the data itself: git lfs pull --include {path.name}"
        raise SpikeFormatError(path, "a Git LFS pointer, not the data", expected=expected, hint=hint)
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        hint = "the download gave an error page; fetch the file again"
        raise SpikeFormatError(path, "a web page (HTML)", expected=expected, hint=hint)


@contextmanager
def refusing(path: Path, expected: str, hint: str = "") -> Iterator[None]:
    """Turn whatever goes wrong inside into a `SpikeFormatError` about `path`.

    The parsers behind raise a dozen kinds of exception on damaged files (zlib.error, KeyError, MemoryError, …).
    """
    try:
        yield
    except SpikecoreError:
        raise
    except Exception as error:  # the boundary: see above
        raise SpikeFormatError(path, f"cannot be read: {_reason(error)}", expected=expected, hint=hint) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"
