"""What is printed: names and texts of files must not steer the terminal, nor stop a command that prints them."""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but for tab and new line
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # direction of writing, invisible characters
    "\ud800-\udfff]"  # bytes of file names that are no text
)


def cleaned(text: str) -> str:
    r"""Text in which what would steer a terminal is visible instead.

    >>> cleaned("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


class Cleaned:
    """A text stream that cleans what is written to it.

    Args:
        stream: Where it goes; what draws itself, as a progress bar does, writes there (`uncleaned`).
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text, cleaned."""
        return self.stream.write(cleaned(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, cleaned."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def uncleaned(stream: Any) -> TextIO:
    """The stream behind a cleaned one, or the stream itself."""
    return stream.stream if isinstance(stream, Cleaned) else stream


@contextmanager
def clean_streams() -> Iterator[None]:
    """Clean what is printed to both standard streams; characters that they cannot encode are spelt out."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed by whoever started the program: else the next file that is opened is taken for it
            os.open(os.devnull, os.O_RDWR)
    before = sys.stdout, sys.stderr
    for stream in filter(None, before):
        with suppress(AttributeError, ValueError, LookupError):  # a stream in the place of one may have none of this
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="backslashreplace")
    sys.stdout, sys.stderr = (None if one is None else Cleaned(one) for one in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
