"""Folders that are filled file by file: nobody else fills them, and a run that was stopped or killed goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spikecore import OutputError, UsageError
from spikecore.files.atomic import write_text
from spikecore.files.held import held_folder
from spikecore.files.partial import tidied

MARK = ".unfinished.json"
"""Says what an unfinished folder is made of; it goes when all is complete."""


@contextmanager
def unfinished(root: Path, made: Mapping[str, Any], parts: Iterable[Path]) -> Iterator[None]:
    """Hold a folder while it is filled.

    Args:
        root: The folder, made if need be.
        made: Plain values that what is made depends on.
        parts: The files that must not be there, and the folders that must be empty, but for what an earlier run with
            the same `made` left; folders are made.

    Raises:
        UsageError: If the folder is in use, holds such files already, or unfinished ones that are made otherwise.
        OutputError: If it cannot be written to.
    """
    said = json.loads(json.dumps({**made, "version": _version()}))
    with held_folder(root):
        mark = root / MARK
        if mark.exists():
            _compare(mark, said)
        else:
            for part in parts:
                _refuse_filled(part, root)
            write_text(mark, json.dumps(said, indent=1) + "\n")
        for part in parts:
            if not part.suffix:
                part.mkdir(exist_ok=True)
                tidied(part.resolve())
        yield
        mark.unlink()


def _compare(mark: Path, said: Mapping[str, Any]) -> None:
    held: Any = None
    with suppress(OSError, ValueError, RecursionError):
        held = json.loads(mark.read_text(encoding="utf-8"))
    if held == said:
        return
    now = _flat(said)
    others = [f"{name}={value!r}" for name, value in _flat(held).items() if now.get(name) != value]
    raise UsageError(
        f"{mark.parent} holds an unfinished set that was made otherwise: {', '.join(others[:8]) or 'other options'}\n"
        "  try: the same command to go on, or a new folder"
    )


def _flat(table: Any) -> dict[str, Any]:
    """The options beside all else that is said; nothing where that is damaged."""
    try:
        return {**table, **table["options"], "options": None}
    except (TypeError, KeyError):
        return {}


def _refuse_filled(part: Path, root: Path) -> None:
    try:
        found = part if part.is_file() else None
        if part.is_dir():
            found = next((entry for entry in part.iterdir() if entry.name != ".lock"), None)
    except OSError as error:
        raise OutputError(f"{part} cannot be used: {error.strerror or error}") from None
    if found is not None:
        raise UsageError(f"{found.parent} holds {found.name} already; give a new folder instead of {root}")


def _version() -> str:
    try:
        return version("spikecore-plugin-simulate")
    except PackageNotFoundError:
        return ""
