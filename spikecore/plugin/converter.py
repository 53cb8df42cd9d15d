"""Option tables read strictly into attrs classes: nothing coerced, no unknown keys, every fault with its path."""

from __future__ import annotations

import os
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

from spikecore.errors import ConfigError, SpikecoreError, closest, shown

T = TypeVar("T")
_SMALLEST, _LARGEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127  # of float32, in which pictures are computed
_SCALARS = (int, float, str, bool)
_COLLECTIONS: dict[Any, type] = {
    list: list, tuple: tuple, set: set, frozenset: frozenset, Sequence: tuple, AbstractSet: frozenset
}  # fmt: skip


def _strict(kind: type, *accepted: type) -> Callable[[Any, Any], Any]:
    def structure(value: Any, wanted: Any) -> Any:
        if isinstance(wanted, type) and issubclass(wanted, Enum):  # a StrEnum reaches the hook of str
            return _enum(value, wanted)
        value = _plain(value)
        if type(value) not in (kind, *accepted):
            raise TypeError(f"expected {kind.__name__}, got {type(value).__name__} {shown(value)}")
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise ValueError(f"expected a number of at most 64 bits, got {shown(value)}")
        if kind is float and not (value == 0 or _SMALLEST <= abs(value) <= _LARGEST):
            raise ValueError(f"expected a finite number that 32 bits can hold, got {value!r}")
        return kind(value)

    return structure


def _plain(value: Any) -> Any:
    """A number of NumPy as Python's own."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () else value


def as_path(value: Any, _: Any = None) -> Path:
    """A path given as text or `Path`, if a file can have that name; else ValueError or TypeError."""
    text = str(value) if isinstance(value, Path) else _strict(str)(value, str)
    if "\0" in text or len(text) > 4000 or any(len(os.fsencode(part)) > 255 for part in Path(text).parts):
        raise ValueError(f"expected the name of a file, got {shown(text)}")
    return Path(text)


def _enum(value: Any, kind: type[Enum]) -> Enum:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(repr(member.value) for member in kind)
        raise ValueError(f"expected one of {known}, got {shown(value)}") from None


def _is_choice(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _choice(value: Any, kind: Any) -> Any:
    allowed, value = get_args(kind), _plain(value)
    if not any(type(value) is type(one) and value == one for one in allowed):
        raise ValueError(f"expected one of {', '.join(map(repr, allowed))}, got {shown(value)}")
    return value


def _is_scalars(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and set(get_args(kind)) <= {*_SCALARS, NoneType}


def _scalar(value: Any, kind: Any) -> Any:
    """A value of one of several plain types: the one it has; whole numbers are floats where there is no int."""
    accepted, value = get_args(kind), _plain(value)
    if type(value) is int and int not in accepted and float in accepted:
        return _strict(float, int)(value, float)
    if type(value) not in accepted:
        names = " or ".join("nothing" if one is NoneType else one.__name__ for one in accepted)
        raise TypeError(f"expected {names}, got {type(value).__name__} {shown(value)}")
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
            raise TypeError(f"expected a list, got {type(value).__name__} {shown(value)}")
        if fixed and len(value) != len(wanted):
            raise ValueError(f"expected {len(wanted)} values, got {len(value)}: {shown(value)}")
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
    converter.register_structure_hook(Path, as_path)
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
        raise ConfigError(f"expected a table of options, got {type(data).__name__} {shown(data)} @ {where}")
    _refuse_tables_of_nothing(data, where)
    try:
        return converter.structure(data, kind)
    except ClassValidationError as error:
        faults = transform_error(error, path=where, format_exception=_describe)
        more = [f"and {len(faults) - 20} more"] if len(faults) > 20 else []
        raise ConfigError("\n".join(faults[:20] + more)) from None
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(f"{error} @ {where}") from None


def _refuse_tables_of_nothing(data: Mapping[str, Any], where: str) -> None:
    strange = [key for key in data if not isinstance(key, str)]
    if strange:
        raise ConfigError(f"option names must be text, got {shown(strange[0])} @ {where}")


def _describe(error: BaseException, kind: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)] if attrs.has(error.cl) else []
        extra = sorted(map(str, error.extra_fields))
        told = [f"unknown option {shown(key)}: {closest(key, known)}" for key in extra[:5]]
        return "; ".join(told + ([f"and {len(extra) - 5} more"] if len(extra) > 5 else []))
    if isinstance(error, KeyError):
        return f"option {error.args[0]!r} is required"
    if isinstance(error, SpikecoreError):
        return str(error)
    if isinstance(error, (TypeError, ValueError)) and not isinstance(
        error, (ClassValidationError, IterableValidationError)
    ):
        return str(error.args[0] if error.args else error)
    return cattrs.v.format_exception(error, kind)
