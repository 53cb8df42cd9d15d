"""Experiments as files: TOML or JSON tables, and "key=value" settings laid over them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spikecore.errors import ConfigError, SpikeFormatError

_MAX_BYTES = 1_000_000


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON file of options.

    Raises:
        SpikeFormatError: If it is missing, larger than 1 MB, not a table, or not valid TOML/JSON.
    """
    if not path.is_file():
        raise SpikeFormatError(path, "no such file", expected="an experiment in TOML or a run.json")
    if path.stat().st_size > _MAX_BYTES:
        raise SpikeFormatError(path, f"{path.stat().st_size} bytes", expected=f"at most {_MAX_BYTES} bytes of options")
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".json":
            return tomllib.loads(text)
        data = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise SpikeFormatError(path, f"not valid {path.suffix[1:] or 'TOML'}: {error}") from None
    if not isinstance(data, dict):
        raise SpikeFormatError(path, f"a JSON {type(data).__name__}", expected="a JSON object")
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!r}")
    return table


def parse_value(text: str) -> Any:
    """Read `text` as a TOML value, else take it as it stands.

    >>> parse_value("32"), parse_value("[1, 2]"), parse_value("adam"), parse_value("true")
    (32, [1, 2], 'adam', True)
    """
    if "\n" not in text:
        try:
            table = tomllib.loads(f"value = {text}")
        except tomllib.TOMLDecodeError:
            return text
        if set(table) == {"value"}:
            return table["value"]
    return text


def override(table: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """A copy of `table` with "dotted.key=value" settings applied; list entries are addressed by number.

    >>> override({"model": {"width": 32}}, ["model.width=64", "metric.0.use=psnr"])
    Traceback (most recent call last):
    spikecore.errors.ConfigError: --set metric.0.use: there is no list 'metric' to take entry 0 of
    """
    result: dict[str, Any] = json.loads(json.dumps(table, default=str))
    for setting in settings:
        dotted, equals, value = setting.partition("=")
        if not equals or not dotted.strip():
            raise ConfigError(f"--set {setting}: expected key=value, for example --set model.width=64")
        _assign(result, dotted.strip().split("."), parse_value(value.strip()), dotted.strip())
    return result


def _assign(node: Any, keys: list[str], value: Any, dotted: str) -> None:
    for number, key in enumerate(keys):
        last = number == len(keys) - 1
        slot: Any = key
        if isinstance(node, list):
            if not key.isdigit() or int(key) >= len(node):
                raise ConfigError(f"--set {dotted}: {key!r} is not an entry of a list of {len(node)}")
            slot = int(key)
        elif not isinstance(node, dict):
            raise ConfigError(f"--set {dotted}: {keys[number - 1]!r} is a value, not a table")
        elif not last and key not in node:
            if keys[number + 1].isdigit():
                raise ConfigError(f"--set {dotted}: there is no list {key!r} to take entry {keys[number + 1]} of")
            node[key] = {}
        if last:
            node[slot] = value
        else:
            node = node[slot]
