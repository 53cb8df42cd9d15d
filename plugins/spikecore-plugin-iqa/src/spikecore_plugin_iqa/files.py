"""Files that a metric needs and that are not shipped: found, or reported as missing with where to get them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from spikecore import Unavailable


@attrs.frozen
class Needed:
    """One file.

    Args:
        option: Name of the option that gives its path.
        given: What the option says.
        name: Its usual file name.
        source: Where to get it.
        cache: Folder where it may lie under its usual name.
    """

    option: str
    given: Path | None
    name: str
    source: str
    cache: Path | None = None

    @property
    def path(self) -> Path | None:
        """Where the file lies or should lie."""
        return self.given or (self.cache / self.name if self.cache else None)

    def lack(self) -> str:
        """What to tell the user if the file is not there, else nothing."""
        if self.path and self.path.is_file():
            return ""
        where = f"there is no file {self.path}" if self.path else f"option {self.option!r} is not set"
        place = f", or put it at {self.cache / self.name}" if self.cache else ""
        return f"{self.name}: {where}\n  get it from {self.source}, then set {self.option}=FILE{place}"


def located(metric: str, files: Sequence[Needed]) -> list[Path]:
    """The paths of all files.

    Raises:
        Unavailable: Naming every file that is missing.
    """
    lacking = [text for text in (file.lack() for file in files) if text]
    if lacking:
        raise Unavailable("\n".join([f"{metric} lacks {text}" for text in lacking]))
    return [file.path for file in files if file.path]
