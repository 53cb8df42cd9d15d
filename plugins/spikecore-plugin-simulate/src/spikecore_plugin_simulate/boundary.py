"""Where the outside world ends: files are looked at before they are opened, and every failure becomes one exception."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikecore import SpikecoreError, SpikeFormatError, UsageError

_HEAD = 512
_NUMBERED = re.compile(r"%[-+ #0]*\d*[dui]")
_STAND_INS = {
    b"version https://git-lfs": "a Git LFS pointer, not the data; try: git lfs pull",
    b"<!doctype html": "a web page; the download gave an error page, fetch the file again",
    b"<html": "a web page; the download gave an error page, fetch the file again",
}


def local(path: Path) -> Path:
    """The absolute path, which no decoder takes for an address or a pattern.

    Raises:
        UsageError: If it is an address or a numbered pattern, which decoders would follow.
    """
    text = str(path)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text) and not path.exists():
        raise UsageError(f"{text} is an address; fetch the file first and give its name")
    if _NUMBERED.search(text):
        raise UsageError(f"{text} is a numbered pattern; give the folder that holds the images, {path.parent}")
    return path.absolute()


def first_bytes(path: Path, expected: str) -> bytes:
    """The first 512 bytes of a regular file that is neither empty nor something else in its place.

    The kind of file is asked before it is opened: opening a named pipe would wait for ever.

    Raises:
        SpikeFormatError: If it is missing, a folder, pipe or device, empty, a Git LFS pointer or a web page.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpikeFormatError(path, f"cannot be opened: {reason}", expected=expected) from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, device or socket"
        raise SpikeFormatError(path, kind, expected=expected)
    if status.st_size == 0:
        raise SpikeFormatError(path, "empty file", expected=expected)
    with refusing(path, expected), path.open("rb") as file:
        start = file.read(_HEAD)
    for mark, found in _STAND_INS.items():
        if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(mark):
            raise SpikeFormatError(path, found, expected=expected)
    return start


@contextmanager
def refusing(path: Path, expected: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into a `SpikeFormatError` about `path`; decoders raise a dozen kinds."""
    try:
        yield
    except SpikecoreError:
        raise
    except Exception as error:  # the boundary: see above
        reason = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
        raise SpikeFormatError(path, f"cannot be read: {reason}", expected=expected) from error
