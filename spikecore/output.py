"""Writing files so that nothing half-written ever has a final name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from uuid import uuid4

from spikecore.component import Component, Kind
from spikecore.errors import OutputError, UsageError
from spikecore.host import PluginHost
from spikecore.spikes import SpikeStream


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
    temporary = aside(path)
    try:
        yield temporary
        publish(temporary, path)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: Path, path: Path) -> None:
    """Flush a finished file to disk and give it its final name."""
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def find_writer(host: PluginHost, path: Path, format: str | None = None) -> Component:
    """The component whose writer is used for `path`: the named one, else by file name.

    Raises:
        OutputError: If no installed plugin writes such files; lists those that can be written.
    """
    writable = [found for found in host.components(Kind.SOURCE) if found.writer]
    if format is not None:
        component = host.find(format, Kind.SOURCE)
        if not component.writer:
            raise OutputError(f"{component.id} only reads; written can be {', '.join(found.id for found in writable)}")
        return component
    fits = [found for found in writable if any(fnmatch(path.name.lower(), pattern) for pattern in found.patterns)]
    if not fits:
        known = ", ".join(sorted({pattern for found in writable for pattern in found.patterns})) or "nothing"
        raise OutputError(f"{path}: no installed plugin writes recordings of this name; writable here: {known}")
    if len(fits) > 1:
        raise UsageError(f"{path} can be written by {' or '.join(found.id for found in fits)}; choose one by its id")
    return fits[0]


def write_stream(
    host: PluginHost, stream: SpikeStream, path: Path, format: str | None, options: Mapping[str, Any]
) -> Path:
    """Write a recording and its companion files; see `spikecore.save`."""
    component = find_writer(host, path, format)
    config = host.configure(component, {"path": str(path), **options})
    with atomic(path) as temporary:
        companions = component.load_writer()(stream, temporary, config) or {}
        for suffix, text in companions.items():
            write_text(path.with_name(path.name + suffix), text)
    return path
