"""What a command reads, and that it does not write over it."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from spikecore.errors import UsageError
from spikecore.files.atomic import record_of

_MAX_BYTES = 1_000_000
_GEOMETRY = {"height", "width", "spike_h", "spike_w"}


class Inputs:
    """The files that a command reads. A file is the same by whatever name, link or spelling it is called.

    Args:
        paths: Files, with what describes them, and folders, with all that they hold but for what earlier runs left
            there, known by their records; those that are not there count for nothing.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._known: dict[tuple[int, int], Path] = {}
        for path in paths:
            for found in _with_folders(path) if path.is_dir() else (path, *described_by(path)):
                if (key := _key(found)) is not None:
                    self._known.setdefault(key, found)

    def refuse(self, *outputs: Path) -> None:
        """Refuse files to be written that are read, and folders to be filled out of which files are read.

        Raises:
            UsageError: Names both.
        """
        for output in outputs:
            found = self._known.get(key) if (key := _key(output)) is not None else None
            if found is not None:
                same = "" if os.path.abspath(found) == os.path.abspath(output) else f" ({found})"
                raise UsageError(f"{output} is the input itself{same}, which is not written over; give another name")


def described_by(path: Path) -> Iterator[Path]:
    """Files beside a recording that say something about it: NAME.toml, STEM.toml, STEM.json, and the picture named."""
    for beside in (path.with_name(f"{path.name}.toml"), path.with_suffix(".toml"), path.with_suffix(".json")):
        if beside != path and beside.is_file() and _GEOMETRY & (table := _table(beside)).keys():
            yield beside
            image = table.get("image")
            if isinstance(image, str) and Path(image).name == image:
                yield path.with_name(image)


def _table(path: Path) -> dict[str, Any]:
    """What a small description holds; nothing where it cannot be read: whoever reads the recording says so."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return {}
        text = path.read_text(encoding="utf-8-sig")
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _with_folders(path: Path) -> Iterator[Path]:
    """A folder, the files in it and its sub-folders, and those of the sub-folders that hold files themselves."""
    yield path
    made = {path: False}

    def left_by_a_run(folder: Path) -> bool:
        if folder not in made:
            made[folder] = (folder / "run.json").is_file() or left_by_a_run(folder.parent)
        return made[folder]

    for file in beneath(path, []):
        if not (left_by_a_run(file.parent) or record_of(file).is_file()):
            yield file.parent
            yield file


def beneath(path: Path, without: Iterable[Path]) -> Iterator[Path]:
    """The files in a folder and its sub-folders, linked ones too, without hidden ones and those in `without`."""
    seen = {folder.resolve() for folder in without}
    for root, folders, names in os.walk(path, followlinks=True):
        here = Path(root).resolve()
        if here in seen:
            folders.clear()
            continue
        seen.add(here)
        folders[:] = [name for name in folders if name[0] != "."]
        yield from (Path(root, name) for name in names if name[0] != ".")


def _key(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
