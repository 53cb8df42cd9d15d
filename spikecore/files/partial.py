"""Names of unfinished files, which say who writes them, so that those of killed processes can be cleared away."""

from __future__ import annotations

import os
import platform
import re
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from uuid import uuid4
from zlib import crc32

from spikecore.files.held import clear

_NAME = re.compile(r"\.(?P<name>.*)-(?P<owner>[0-9a-f]{8}\.\d+\.\d+)\.[0-9a-f]{8}\.(?P<kind>partial|old)(\.[^.]*)?")
_LOCK = re.compile(r"\..*-[0-9a-f]{8}\.lock")
_SHOWN = 40  # characters of a name: with all of a long one, that of the unfinished file would be too long


def owner() -> str:
    """This process: its machine, number and start, by which another one of that number is told apart."""
    return f"{_machine()}.{os.getpid()}.{_started(os.getpid())}"


def gone(owner: str) -> bool:
    """Whether the process that called itself so has ended; False where that cannot be known, as on another machine."""
    machine, pid, started = owner.split(".")
    if machine != _machine() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, of another user
        return False
    return _started(int(pid)) not in (0, int(started))


def partial_name(path: Path, owner: str) -> Path:
    """A name for the unfinished file of `path`: in the same folder, with the same suffix."""
    return path.with_name(f".{path.stem[:_SHOWN]}-{owner}.{uuid4().hex[:8]}.partial{path.suffix}")


def old_name(path: Path, owner: str, swap: str) -> Path:
    """A name for `path` itself while files are exchanged; `swap` is the same for all of one exchange."""
    return path.with_name(f".{path.name}-{owner}.{swap}.old")


@cache
def tidied(folder: Path) -> None:
    """Clear away what processes that have ended left unfinished in a folder; looked at once in a process.

    Where one was killed while it exchanged files, and the old file still has its name, its companions get theirs back.
    """
    left: dict[str, list[tuple[Path, Path]]] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name[0] != ".":
                continue
            if _LOCK.fullmatch(entry.name):
                clear(Path(folder, entry.name))
            found = _NAME.fullmatch(entry.name)
            if found is None or not gone(found["owner"]):
                continue
            path = Path(folder, entry.name)
            if found["kind"] == "old":
                swap = path.name.rpartition("-")[2]
                left.setdefault(swap, []).append((path, path.with_name(found["name"])))
            elif entry.is_dir(follow_symlinks=False):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()
    for swapped in left.values():
        with suppress(OSError):
            _settle(swapped)


def _settle(swapped: list[tuple[Path, Path]]) -> None:
    """End an exchange: undone if one of the old files is still where it was, else done."""
    undone = any(final.exists() and old.samefile(final) for old, final in swapped)
    for old, final in swapped:
        if undone and not final.exists():
            os.replace(old, final)
        else:
            old.unlink()


@cache
def _machine() -> str:
    """Where numbers of processes mean what they do here: this machine, and this container."""
    space = 0
    with suppress(OSError):
        space = os.stat("/proc/self/ns/pid").st_ino
    return f"{crc32(f'{platform.node()} {space}'.encode()):08x}"


def _started(pid: int) -> int:
    """When a process started, in ticks since the machine did; 0 where that cannot be known."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    return 0
