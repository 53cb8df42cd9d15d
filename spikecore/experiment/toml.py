"""Texts of the outside, TOML and JSON, within bounds; and "key=value" settings laid over their tables."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spikecore.errors import ConfigError, SpikeFormatError, shown

_MAX_BYTES = 1_000_000
_MAX_VALUES = 100_000
_MAX_DEPTH = 32
_WORD = r"""(?:(?<![\w-])[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?:{_WORD}[ \t]*+\.[ \t]*+){{{_MAX_DEPTH}}}")  # what parsing costs grows with its square


def read_table(path: Path, most: int = _MAX_BYTES) -> dict[str, Any]:
    """Read a TOML or JSON (by its suffix) file of options.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        SpikeFormatError: If it is missing, larger than that, not a table, not valid TOML/JSON, nested deeper than 32
            levels, of more than 100,000 values, or holds numbers of more than 64 bits.
    """
    try:
        if not path.is_file():
            raise SpikeFormatError(path, "no such file")
        if (size := path.stat().st_size) > most:
            raise SpikeFormatError(path, f"{size} bytes", expected=f"at most {most} bytes of options")
        text = path.read_text(encoding="utf-8-sig")
        data = parse_json(text, _MAX_VALUES * max(1, most // _MAX_BYTES)) if path.suffix == ".json" else _toml(text)
    except (ValueError, RecursionError) as error:
        raise SpikeFormatError(path, f"not valid {path.suffix[1:] or 'TOML'}: {str(error)[:300]}") from None
    except OSError as error:
        raise SpikeFormatError(shown(str(path)), f"cannot be read: {error.strerror}") from None
    if not isinstance(data, dict):
        raise SpikeFormatError(path, f"a JSON {type(data).__name__}", expected="a JSON object")
    return data


def parse_json(text: str, most: int = _MAX_VALUES) -> Any:
    """Read JSON of at most `most` values, each key once, whole numbers of 64 bits.

    Raises:
        ValueError, RecursionError: What is wrong with it.
    """
    return _bounded(json.loads(text, object_pairs_hook=_unique), most)


def _toml(text: str) -> dict[str, Any]:
    long = _LONG_KEY.search(text)
    if long:
        line = text.count("\n", 0, long.start()) + 1
        raise ValueError(f"a key of more than {_MAX_DEPTH} parts (at line {line})")
    table = tomllib.loads(text)
    _bounded(table, _MAX_VALUES)
    return table


def _bounded(data: Any, most: int) -> Any:
    """`data`, if what follows can handle it: every value is looked at, none twice."""
    level, count = [data], 0
    for _ in range(_MAX_DEPTH):
        count += len(level)
        if count > most:
            raise ValueError(f"more than {most} values")
        for value in level:
            if isinstance(value, int) and not -(2**63) <= value < 2**63:
                raise ValueError("a whole number of more than 64 bits")
            if isinstance(value, str):
                value.encode()  # half a surrogate pair is no text
        tables = [value for value in level if isinstance(value, dict)]
        level = [one for value in level if isinstance(value, list) for one in value]
        level += [one for table in tables for pair in table.items() for one in pair]
        if not level:
            return data
    raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"duplicate key {key!r}")
        table[key] = value
    return table


def parse_value(text: str) -> Any:
    """Read `text` as a TOML value, else take it as it stands.

    >>> parse_value("32"), parse_value("[1, 2]"), parse_value("adam"), parse_value("true")
    (32, [1, 2], 'adam', True)
    """
    if "\n" not in text:
        try:
            table = _toml(f"value = {text}")
        except tomllib.TOMLDecodeError:
            return text
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{shown(text)}: {str(error)[:300]}") from None
        if set(table) == {"value"}:
            return table["value"]
    return text


def override(table: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """A copy of `table` with "dotted.key=value" settings applied; list entries are addressed by number.

    >>> override({"model": {"width": 32}}, ["model.width=64", "metric.0.use=psnr"])
    Traceback (most recent call last):
    spikecore.errors.ConfigError: --set metric.0.use: there is no list 'metric' to take entry 0 of
    """
    try:
        result: dict[str, Any] = json.loads(json.dumps(table, default=str))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"a table of options that is no plain table: {str(error)[:300]}") from None
    for setting in settings:
        dotted, equals, value = setting.partition("=")
        keys = dotted.strip().split(".")
        if not equals or not dotted.strip() or len(keys) > _MAX_DEPTH:
            raise ConfigError(f"--set {setting[:200]}: expected key=value, for example --set model.width=64")
        _assign(result, keys, parse_value(value.strip()), dotted.strip())
    return result


def _assign(node: Any, keys: list[str], value: Any, dotted: str) -> None:
    for number, key in enumerate(keys):
        last = number == len(keys) - 1
        slot: Any = key
        if isinstance(node, list):
            if not (key.isdecimal() and len(key) < 10 and int(key) < len(node)):
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
