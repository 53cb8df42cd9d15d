"""Writing files so that nothing half-written ever has a final name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from spikecore.errors import OutputError
from spikecore.files.held import held
from spikecore.files.partial import old_name, owner, partial_name, tidied


def aside(path: Path) -> Path:
    """A name in the same folder, with the same suffix, for the unfinished file. Of a link, it is the file behind it.

    Raises:
        OutputError: If the folder is missing or cannot be written to, or `path` is a folder, a device or a pipe.
    """
    final = behind(path)
    folder = final.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: there is no folder {folder}\n  try: mkdir -p {folder}")
    if final.is_dir():
        raise OutputError(f"{path} is a folder; give a file name inside it")
    if final.exists() and not final.is_file():
        raise OutputError(f"{path} is no regular file, which could be replaced; give another name")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path}: the folder {folder} cannot be written to")
    tidied(Path(os.path.abspath(folder)))
    return partial_name(final, owner())


def behind(path: Path) -> Path:
    """The file that is written where `path` is a symbolic link, else `path` itself."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def record_of(path: Path) -> Path:
    """Where the record of the run that wrote a file lies."""
    return path.with_name(f"{path.name}.run.json")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path; on success it is flushed to disk and renamed to `path`, else removed.

    Raises:
        OutputError: If it cannot be written (missing folder, no permission, disk full); an older `path` stays intact.
    """
    with _written(path) as files:
        yield files[path]


@contextmanager
def together(path: Path) -> Iterator[dict[Path, Path]]:
    """As `atomic` for a file and its companions: yields {final: temporary path}, to which others may be added.

    All of them are complete and on the disk before the first has its final name; see `exchange`. Meanwhile nobody else
    writes them.

    Raises:
        UsageError: If another process is writing them.
    """
    aside(path)  # a folder that is not there is said as such
    with held(path), _written(path) as files:
        yield files


@contextmanager
def _written(path: Path) -> Iterator[dict[Path, Path]]:
    files = {path: aside(path)}
    try:
        yield files
        for temporary in files.values():
            flush(temporary)
        exchange(files)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        for temporary in files.values():
            temporary.unlink(missing_ok=True)


def exchange(files: Mapping[Path, Path]) -> None:
    """Give finished files {final: temporary path} their names, the first being what the others are companions of.

    First the old companions go, then the first file is replaced, then the new companions come: at no moment, should
    the process be killed, does a file stand beside a companion of another. The record of the run that wrote the old
    file goes with it. If one of the files cannot be placed, the old ones come back.
    """
    (path, temporary), *others = [(behind(final), made) for final, made in files.items()]
    given = next(iter(files))
    suffixes = [final.name.removeprefix(path.name) for final, _ in others if final.name.startswith(path.name)]
    beside_link = [given.with_name(given.name + suffix) for suffix in suffixes]  # it would be taken for the new one's
    leaving = [*(final for final, _ in others), record_of(path), record_of(given), *beside_link]
    leaving = [final for final in dict.fromkeys(leaving) if os.path.lexists(final)]
    if not leaving and not others:
        os.replace(temporary, path)
        _flush_folder(path.parent)
        return
    had, names = os.path.lexists(path), (owner(), uuid4().hex[:8])
    old = {final: old_name(final, *names) for final in [path, *leaving]}
    try:
        with suppress(OSError):  # there is none, or the file system has no links; it then cannot be brought back
            os.link(path, old[path])
        for final in leaving:
            os.replace(final, old[final])
        os.replace(temporary, path)
        for final, made in others:
            os.replace(made, final)
    except BaseException:
        _restore(path, temporary, others, old, had)
        raise
    for folder in {final.parent for final in (path, *old, *(final for final, _ in others))}:
        _flush_folder(folder)
    for kept in old.values():
        kept.unlink(missing_ok=True)


def _restore(
    path: Path, temporary: Path, others: Iterable[tuple[Path, Path]], old: Mapping[Path, Path], had: bool
) -> None:
    """Undo what an exchange has done so far, in the opposite order."""
    for final, made in others:
        if not made.exists():
            final.unlink(missing_ok=True)
    if not temporary.exists():
        if not had:
            path.unlink(missing_ok=True)
        elif old[path].exists():
            os.replace(old[path], path)
        else:
            return  # the new file stays, alone
    old[path].unlink(missing_ok=True)
    for final, kept in old.items():
        if kept.exists():
            os.replace(kept, final)


def flush(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make renames in a folder last, where the system can."""
    with suppress(OSError):
        flush(folder)


def publish(temporary: Path, path: Path) -> None:
    """Flush a finished file to disk and give it its final name."""
    flush(temporary)
    exchange({path: temporary})


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
