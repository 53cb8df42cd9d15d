"""Where the outside world ends: files are looked at before they are opened, and every failure becomes one exception."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikecore.errors import SpikecoreError, SpikeFormatError, UsageError

_HEAD = 512
_LFS = b"version https://git-lfs"
_PAGES = (b"<!doctype html", b"<html", b"<?xml")
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_NUMBERED = re.compile(r"%[-+ #0]*\d*[dui]")


def file_size(path: Path, expected: str, folder: str = "") -> int:
    """Size in bytes of a regular file that is neither empty nor something else in its place.

    The kind of file is asked before it is opened: opening a named pipe would wait for ever.

    Args:
        path: The file.
        expected: What it should be, for messages.
        folder: What to do if it is a folder, for messages.

    Raises:
        SpikeFormatError: If it is missing, a folder, pipe or device, empty, a Git LFS pointer or a web page.
    """
    return _looked_at(path, expected, folder)[0]


def first_bytes(path: Path, expected: str, folder: str = "") -> bytes:
    """The first 512 bytes of a file, looked at as `file_size` does; fewer if it is shorter."""
    return _looked_at(path, expected, folder)[1]


def _looked_at(path: Path, expected: str, folder: str) -> tuple[int, bytes]:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be opened: {_reason(error)}"
        raise SpikeFormatError(path, found, expected=expected) from None
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")
        raise SpikeFormatError(path, kind, expected=expected, hint=folder if stat.S_ISDIR(status.st_mode) else "")
    if status.st_size == 0:
        raise SpikeFormatError(path, "empty file", expected=expected)
    with refusing(path, expected), path.open("rb") as file:
        start = file.read(_HEAD)
    _refuse_stand_ins(path, start, expected)
    return status.st_size, start


def _refuse_stand_ins(path: Path, start: bytes, expected: str) -> None:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_LFS):
        hint = f"fetch the data itself: git lfs pull --include {path.name}"
        raise SpikeFormatError(path, "a Git LFS pointer, not the data", expected=expected, hint=hint)
    if text.startswith(_PAGES):
        hint = "the download gave an error page; fetch the file again"
        raise SpikeFormatError(path, "a web page (HTML or XML)", expected=expected, hint=hint)


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


def local(path: Path) -> Path:
    """The absolute path, which no decoder takes for an address or a pattern.

    Raises:
        UsageError: If it is an address or a numbered pattern, which decoders would follow.
    """
    text = str(path)
    if _ADDRESS.match(text) and not path.exists():
        raise UsageError(f"{text} is an address; fetch the file first and give its name")
    if _NUMBERED.search(text):
        raise UsageError(f"{text} is a numbered pattern; give the folder that holds the images, {path.parent}")
    return path.absolute()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"
