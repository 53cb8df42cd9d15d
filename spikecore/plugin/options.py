"""Options of components: declared as fields of attrs classes with a help text, described for people."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

import attrs
from cattrs import Converter

from spikecore.plugin.converter import make_converter


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
