"""Option tables read strictly into attrs classes: nothing coerced, no unknown keys, every fault with its path."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from cattrs import Converter, transform_error
from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)

from spikecore.errors import ConfigError, closest

T = TypeVar("T")
_SCALARS = (int, float, str, bool)
_COLLECTIONS: dict[Any, type] = {
    list: list, tuple: tuple, set: set, frozenset: frozenset, Sequence: tuple, AbstractSet: frozenset
}  # fmt: skip


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
