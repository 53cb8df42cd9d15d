"""Options of components: declared as attrs classes, read strictly, described for people. Imports no torch."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
import cattrs
from cattrs import Converter, transform_error
from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)

from spikecore.errors import ConfigError, SpikeFormatError, closest

T = TypeVar("T")
_MAX_BYTES = 1_000_000
_SCALARS = (int, float, str, bool)
_COLLECTIONS: dict[Any, type] = {
    list: list, tuple: tuple, set: set, frozenset: frozenset, Sequence: tuple, AbstractSet: frozenset
}  # fmt: skip


def option(
    default: Any = attrs.NOTHING, *, help: str, validator: Any = None, factory: Any = None, adjustable: bool = False
) -> Any:
    """Declare one option of a component: an `attrs.field` whose help text is shown by `spikecore show`.

    Trained weights bring the options that they were made with, and another value is refused; that of an `adjustable`
    option, which only says how the network is used, may still be given.

    >>> import attrs
    >>> @attrs.frozen
    ... class MeanConfig:
    ...     window: int = option(41, help="frames averaged", validator=attrs.validators.ge(1))
    >>> MeanConfig().window
    41
    """
    extra: dict[str, Any] = {"factory": factory} if factory is not None else {"default": default}
    return attrs.field(validator=validator, metadata={"help": help, "adjustable": adjustable}, **extra)


def _strict(kind: type, *accepted: type) -> Callable[[Any, Any], Any]:
    def structure(value: Any, wanted: Any) -> Any:
        if isinstance(wanted, type) and issubclass(wanted, Enum):  # a StrEnum reaches the hook of str
            return _enum(value, wanted)
        if type(value) not in (kind, *accepted):
            raise TypeError(f"expected {kind.__name__}, got {type(value).__name__} {value!r}")
        if kind is float and not math.isfinite(value):
            raise ValueError(f"expected a finite number, got {value!r}")
        return kind(value)

    return structure


def _enum(value: Any, kind: type[Enum]) -> Enum:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(repr(member.value) for member in kind)
        raise ValueError(f"expected one of {known}, got {value!r}") from None


def _is_choice(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _choice(value: Any, kind: Any) -> Any:
    allowed = get_args(kind)
    if not any(type(value) is type(one) and value == one for one in allowed):
        raise ValueError(f"expected one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def _is_scalars(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and set(get_args(kind)) <= {*_SCALARS, NoneType}


def _scalar(value: Any, kind: Any) -> Any:
    """A value of one of several plain types: the one it has; whole numbers are floats where there is no int."""
    accepted = get_args(kind)
    if type(value) is int and int not in accepted and float in accepted:
        return float(value)
    if type(value) not in accepted:
        names = " or ".join("nothing" if one is NoneType else one.__name__ for one in accepted)
        raise TypeError(f"expected {names}, got {type(value).__name__} {value!r}")
    return value if value is None else _strict(type(value))(value, type(value))


def _is_set(kind: Any) -> bool:
    return _is_collection(kind) and issubclass(_COLLECTIONS[get_origin(kind) or kind], (set, frozenset))


def _is_collection(kind: Any) -> bool:
    return (get_origin(kind) or kind) in _COLLECTIONS


def _collection(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """A hook for lists, tuples and sets that does not take a text for a list of its letters."""
    make, wanted = _COLLECTIONS[get_origin(kind) or kind], get_args(kind) or (Any,)
    fixed = get_origin(kind) is tuple and wanted[-1] is not ...  # tuple[int, str]: one value of each

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise TypeError(f"expected a list, got {type(value).__name__} {value!r}")
        if fixed and len(value) != len(wanted):
            raise ValueError(f"expected {len(wanted)} values, got {len(value)}: {value!r}")
        held: list[Any] = []
        faults: list[Exception] = []
        for number, one in enumerate(value):
            element = wanted[number] if fixed else wanted[0]
            try:
                held.append(converter.structure(one, element))
            except Exception as error:  # collected, so that all faults of a list are told at once
                error.add_note(IterableValidationNote(f"@ index {number}", number, element))
                faults.append(error)
        if faults:
            raise IterableValidationError(f"in {kind}", faults, kind)
        return make(held)

    return structure


def make_converter() -> Converter:
    """A converter that coerces nothing and refuses unknown keys ("false" is not a bool, 1.7 is not an int)."""
    converter = Converter(forbid_extra_keys=True)
    converter.register_structure_hook(int, _strict(int))
    converter.register_structure_hook(bool, _strict(bool))
    converter.register_structure_hook(str, _strict(str))
    converter.register_structure_hook(float, _strict(float, int))
    converter.register_structure_hook_func(lambda kind: isinstance(kind, type) and issubclass(kind, Enum), _enum)
    converter.register_structure_hook_func(_is_choice, _choice)
    converter.register_structure_hook_func(_is_scalars, _scalar)
    converter.register_structure_hook_factory(_is_collection, lambda kind: _collection(kind, converter))
    converter.register_unstructure_hook_func(
        _is_set,
        lambda held: sorted(converter.unstructure(list(held)), key=lambda one: (type(one).__name__, one)),
    )
    converter.register_structure_hook(Path, lambda value, _: Path(_strict(str)(value, str)))
    converter.register_unstructure_hook(Path, str)
    converter.register_unstructure_hook(Enum, lambda member: member.value)
    return converter


def structure(converter: Converter, data: Any, kind: type[T], where: str) -> T:
    """Turn an option table into `kind`, or raise a `ConfigError` that lists every fault with its path.

    Args:
        converter: From `make_converter`.
        data: The table as read from TOML, JSON or keyword arguments.
        kind: An attrs class.
        where: Name of the table in messages, for example "$.reconstructor".
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"expected a table of options, got {type(data).__name__} {data!r} @ {where}")
    _refuse_tables_of_nothing(data, where)
    try:
        return converter.structure(data, kind)
    except ClassValidationError as error:
        faults = transform_error(error, path=where, format_exception=_describe)
        raise ConfigError("\n".join(faults)) from None
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{error} @ {where}") from None


def _refuse_tables_of_nothing(data: Mapping[str, Any], where: str) -> None:
    strange = [key for key in data if not isinstance(key, str)]
    if strange:
        raise ConfigError(f"option names must be text, got {strange[0]!r} @ {where}")


def _describe(error: BaseException, kind: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)] if attrs.has(error.cl) else []
        return "; ".join(f"unknown option {key!r}: {closest(key, known)}" for key in sorted(error.extra_fields))
    if isinstance(error, KeyError):
        return f"option {error.args[0]!r} is required"
    if isinstance(error, (TypeError, ValueError)) and not isinstance(
        error, (ClassValidationError, IterableValidationError)
    ):
        return str(error.args[0] if error.args else error)
    return cattrs.v.format_exception(error, kind)


@attrs.frozen
class Option:
    """One option as shown to people: name, type, default ("" if required) and help text."""

    name: str
    type: str
    default: str
    help: str


def describe(config: type) -> list[Option]:
    """The options of an attrs class, in order of declaration."""
    hints, converter = get_type_hints(config), make_converter()
    rows = []
    for field in attrs.fields(config):
        kind, default = _type_text(hints[field.name]), _default_text(field, converter)
        rows.append(Option(field.name, kind, default, field.metadata.get("help", "")))
    return rows


def _type_text(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " | ".join(json.dumps(member.value) for member in kind)
    if get_origin(kind) is Literal:
        return " | ".join(json.dumps(one) for one in get_args(kind))
    if isinstance(kind, type) and not get_args(kind):
        return kind.__name__
    return re.sub(r"[\w.]+\.(?=\w)", "", str(kind))


def changed(config: Any) -> dict[str, Any]:
    """The options of a config object that are not at their defaults, required ones among them."""
    values = {field: getattr(config, field.name) for field in attrs.fields(type(config))}
    return {field.name: value for field, value in values.items() if value != _default(field, config)}


def _default(field: attrs.Attribute[Any], config: Any) -> Any:
    """The default of an option; `config` is for factories that look at the other options."""
    default: Any = field.default
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # attrs types Factory as a function
        return default
    return default.factory(config) if default.takes_self else default.factory()


def _default_text(field: attrs.Attribute[Any], converter: Converter) -> str:
    if field.default is attrs.NOTHING:
        return ""
    if getattr(field.default, "takes_self", False):
        return "from the other options"
    return json.dumps(converter.unstructure(_default(field, None)), default=str)


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
