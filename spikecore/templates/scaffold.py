"""Starting a plugin: a small project that works, rendered from `spikecore/templates/plugin`. Imports no torch."""

from __future__ import annotations

import keyword
import os
import re
import shlex
import shutil
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from spikecore.errors import OutputError, UsageError, closest
from spikecore.files.partial import owner, partial_name, tidied
from spikecore.plugin.component import Kind

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED = ("builtin", "config")
_SUFFIX = ".tmpl"
_IMPORTS = {Kind.SOURCE: ("numpy>=2",), Kind.TRAINER: ("numpy>=2", "torch>=2.6")}


def new_plugin(name: str, kind: Kind | str, folder: Path, taken: Collection[str] = ()) -> Path:
    """Render a plugin project, ready to be installed and tested.

    Args:
        name: Name of the plugin and of its one component: lower-case words with hyphens, for example "blind-spot".
        kind: What the component is.
        folder: Where the project's folder `spikecore-plugin-NAME` is made.
        taken: Names of plugins that are installed, which a new one may not have.

    Returns:
        The project's folder.

    Raises:
        UsageError: If name or kind cannot be used.
        OutputError: If the project's folder exists or cannot be made.
    """
    values = _values(_checked(name, taken), _kind(kind))
    project = folder / values["distribution"]
    if os.path.lexists(project):
        raise OutputError(f"{project} exists already; choose another name, or another place with --dir")
    if not folder.is_dir():
        raise OutputError(f"there is no folder {folder}\n  try: mkdir -p {folder}")
    tidied(folder.resolve())
    unfinished = partial_name(project, owner())
    try:
        _render(unfinished, values)
        unfinished.rename(project)
    except OSError as error:
        raise OutputError(f"{project} cannot be made: {error.strerror or error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return project


def next_steps(project: Path, name: str) -> list[str]:
    """The commands to type next."""
    folder = shlex.quote(str(project))
    return [f"pip install -e {folder}", f"spikecore show {name}/{name}", f"pytest {folder}"]


def _checked(name: str, taken: Collection[str]) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"plugin name {name!r} is not lower-case words with hyphens, for example 'blind-spot'")
    if name in _RESERVED or keyword.iskeyword(name):
        raise UsageError(f"plugin name {name!r} is reserved; choose another")
    if name in taken:
        raise UsageError(f"a plugin named {name!r} is installed already; choose another name")
    return name


def _kind(kind: Kind | str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise UsageError(f"no kind {kind!r}: {closest(str(kind), Kind)}") from None


def _values(name: str, kind: Kind) -> Mapping[str, str]:
    module = name.replace("-", "_")
    needed = ("spikecore>=0.1,<0.2", "attrs>=24.2", *_IMPORTS.get(kind, ("torch>=2.6",)))
    return {
        "name": name,
        "kind": kind,
        "distribution": f"spikecore-plugin-{name}",
        "package": f"spikecore_plugin_{module}",
        "module": module,
        "Class": name.title().replace("-", "") + kind.title(),
        "dependencies": ", ".join(f'"{one}"' for one in needed),
        "year": str(datetime.now(UTC).year),
    }


def _render(project: Path, values: Mapping[str, str]) -> None:
    templates = files("spikecore") / "templates" / "plugin"
    for part in ("common", values["kind"]):
        for path, template in _files(templates / part):
            target = project / path.removesuffix(_SUFFIX).replace("/package/", f"/{values['package']}/")
            if target.name == "module.py":
                target = target.with_name(f"{values['module']}.py")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield prefix + entry.name, entry
