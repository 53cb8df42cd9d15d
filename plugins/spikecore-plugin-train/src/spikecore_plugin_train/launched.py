"""Which `spikecore launch` a run belongs to, so that a restart goes on with its own run and with no other."""

from __future__ import annotations

import os
from pathlib import Path

LAUNCH = "SPIKECORE_LAUNCH"


def restarted() -> bool:
    """True if this process stands in for one that `spikecore launch` started and that died."""
    return LAUNCH in os.environ and os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"


def claim(directory: Path) -> None:
    """Note that the run in `directory` belongs to this launch, if there is one."""
    if LAUNCH in os.environ:
        _path(directory).write_text(os.environ[LAUNCH], encoding="utf-8")


def owns(directory: Path) -> bool:
    """True if the run in `directory` belongs to this launch."""
    path = _path(directory)
    return path.is_file() and path.read_text(encoding="utf-8") == os.environ.get(LAUNCH)


def _path(directory: Path) -> Path:
    return directory / ".launch"
