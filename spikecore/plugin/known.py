"""What to install for what is missing: `known.toml` says which distribution has which commands, files and ids."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def known() -> Mapping[str, Mapping[str, Any]]:
    """The table: what each known distribution has."""
    return tomllib.loads((files("spikecore.plugin") / "known.toml").read_text(encoding="utf-8"))


def install_hint(
    *,
    plugin: str = "",
    command: str = "",
    executor: str = "",
    file: str = "",
    installed: frozenset[str] = frozenset(),
) -> str:
    """The command that installs what has this plugin, command or executor, or reads this file; "" if none is known.

    Args:
        plugin: Name of a plugin, as in "plugin/name".
        command: A command of `spikecore`.
        executor: What `--executor` names.
        file: A file name; a folder's ends in "/".
        installed: Names of plugins that are installed, which cannot be what is missing.

    >>> install_hint(command="train")
    'pip install spikecore-plugin-train'
    >>> install_hint(file="night.dat")
    'pip install spikecore-plugin-vidar'
    >>> install_hint(file="night.events.h5"), install_hint(file="night.h5")
    ('pip install spikecore-plugin-simulate', 'pip install spikecore-plugin-vidar')
    """
    fits = {
        distribution: (plugin and entry["plugin"] == plugin)
        or (command and command in entry.get("commands", ()))
        or (executor and executor in entry.get("executors", ()))
        or (file and max((len(one) for one in entry.get("patterns", ()) if _reads(one, file.lower())), default=0))
        for distribution, entry in known().items()
        if entry["plugin"] not in installed
    }
    best = max(fits, key=lambda distribution: fits[distribution] or 0, default="")  # the most specific file name
    return f"pip install {best}" if best and fits[best] else ""


def _reads(pattern: str, name: str) -> bool:
    return fnmatch(name, pattern) and pattern.endswith("/") == name.endswith("/")
