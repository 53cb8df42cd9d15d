"""Recordings as files: which component reads or writes one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from spikecore.data.spikes import SpikeStream
from spikecore.errors import OutputError, SpikeFormatError, UsageError, closest
from spikecore.files.atomic import aside, behind, together
from spikecore.files.boundary import file_size
from spikecore.files.foreign import identify
from spikecore.files.inputs import Inputs
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.guard import blamed
from spikecore.plugin.host import PluginHost
from spikecore.plugin.known import install_hint
from spikecore.plugin.recognise import UNSAID, sureness


def _remedy(host: PluginHost, path: Path) -> str:
    """What to type where nothing reads a file."""
    sources = host.components(Kind.SOURCE)
    patterns = sorted({"folders" if one == "*/" else one for found in sources for one in found.patterns})
    name = path.name + ("/" if path.is_dir() else "")
    install = install_hint(file=name, installed=frozenset(host.statuses))
    if install:
        return f"try: {install}"
    readable = f"readable here: {', '.join(patterns)}; " if patterns else ""
    return f"{readable}choose a reader with source=ID (--source ID), or see spikecore list"


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
        install = install_hint(file=path.name, installed=frozenset(host.statuses))
        remedy = f"\n  try: {install}" if install else f"; writable here: {known}"
        raise OutputError(f"{path}: no installed plugin writes recordings of this name{remedy}")
    if len(fits) > 1:
        raise UsageError(f"{path} can be written by {' or '.join(found.id for found in fits)}; choose one by its id")
    return fits[0]


def write_stream(
    host: PluginHost, stream: SpikeStream, path: Path, format: str | None, options: Mapping[str, Any]
) -> Path:
    """Write a recording and its companion files, all or none; see `spikecore.save`."""
    with writing(host, stream, path, format, options):
        return path


@contextmanager
def writing(
    host: PluginHost,
    stream: SpikeStream,
    path: Path,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[dict[Path, Path]]:
    """A recording and its companion files, written and not yet named: {final: temporary path}.

    Others may be added, which then get their names together with it; the recording is the first.

    Raises:
        UsageError: If it is to be written over the file that it is read from.
    """
    component = find_writer(host, path, format)
    config = host.configure(component, {"path": str(path), **(options or {})})
    own = behind(path)
    if stream.name and (read := Path(stream.name)).is_file():
        Inputs([read]).refuse(path, own.with_name(f"{own.name}.toml"))
    with together(path) as files:
        for suffix, text in _written_by(component, stream, files[path], config).items():
            beside = own.with_name(own.name + suffix)
            files[beside] = aside(beside)
            files[beside].write_text(text, encoding="utf-8")
        yield files


def _written_by(component: Component, stream: SpikeStream, path: Path, config: Any) -> dict[str, str]:
    """What a component's writer gives, called on a temporary file: companion files by suffix."""
    write, full = component.load_writer(), None
    companions: dict[str, str] = {}
    with blamed(component.id):
        try:
            companions = {str(suffix): str(text) for suffix, text in (write(stream, path, config) or {}).items()}
        except OSError as error:  # the disk's fault
            full = error
    if full is not None:
        raise full
    return companions


def find_source(host: PluginHost, path: Path, source: str | None = None) -> Component:
    """The source component that reads `path`: the named one, else the one that `PluginHost.openers` finds best.

    Events that none of these is sure to read are told as what they are, whatever their suffix.

    Raises:
        SpikeFormatError: If there is no such file, or nothing installed reads it; says what it is or what to install.
        UsageError: If several read it and none is surer than the others.
    """
    if source is not None:
        return host.find(source, Kind.SOURCE)
    if not path.exists():
        near = closest(path.name, [entry.name for entry in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise SpikeFormatError(path, "no such file or folder", hint=near.partition("?")[0] + "?" if "?" in near else "")
    openers = host.openers(path)
    foreign = identify(path)
    if foreign and foreign.events and max(sureness(openers, path), default=0) < UNSAID:
        raise foreign.error(path, "a recording")
    if not openers:
        found = f"{foreign.words}, and " if foreign else ""
        raise SpikeFormatError(path, f"{found}no installed plugin reads files of this name", hint=_remedy(host, path))
    if len(openers) > 1:
        if not path.is_dir():
            file_size(path, "a recording")  # what is no file at all is not worth a choice of readers
        ids = " or ".join(found.id for found in openers)
        raise UsageError(f"{path} can be read by {ids}; choose one with source=ID (--source ID)")
    return openers[0]
