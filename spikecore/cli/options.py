"""Options that several commands share: where a recording comes from, which method, how to run it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

import attrs
import click

from spikecore.errors import UsageError, shown
from spikecore.experiment.run_config import RunConfig
from spikecore.experiment.toml import override
from spikecore.files.recordings import find_source
from spikecore.plugin.component import Component
from spikecore.plugin.host import PluginHost

F = TypeVar("F", bound=Callable[..., Any])

_SOURCE = [
    click.option("--source", metavar="ID", help="the source that reads the file; chosen by file name by default"),
    click.option("--height", type=int, help="rows of the picture, where the file does not say"),
    click.option("--width", type=int, help="columns of the picture, where the file does not say"),
    click.option("--rate", type=float, help="frames per second of the camera"),
    click.option("--allow-truncated", is_flag=True, default=None, help="drop a last incomplete frame with a warning"),
    click.option("--no-check", "check", flag_value=False, default=None, help="no warning about unlikely geometry"),
    click.option("--in", "inputs", multiple=True, metavar="KEY=VALUE", help="any other option of the source"),
]
_JOB = [
    click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="recordings done at a time"),
    click.option("--executor", default="local", show_default=True, help="where: local, or one of a plugin (dask)"),
    click.option("--address", default="", help="of the executor's scheduler, where it has one"),
]


def _apply(options: list[Any]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        """Give a command these options."""
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _flag(field: attrs.Attribute[Any], kind: Any) -> Any:
    """The flag of an option of the runner: its type, default and help as the option states them."""
    default = field.default.value if isinstance(field.default, Enum) else field.default
    shown = "" if default in (None, "") else f" ({default})"
    return click.option(
        f"--{field.name.replace('_', '-')}", type=_click_type(kind), help=field.metadata["help"] + shown
    )


def _click_type(kind: Any) -> Any:
    accepted = [one for one in get_args(kind) if one is not NoneType] or [kind]
    if issubclass(accepted[0], Enum):
        return click.Choice([member.value for member in accepted[0]])
    return _Number() if set(accepted) == {int, float} else accepted[0]


class _Number(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases of click only
    """A whole number, or one with a fraction."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """As click asks for it."""
        try:
            return int(value)
        except ValueError:
            return float(click.FLOAT.convert(value, param, ctx))


_OF_FILES = ("start", "stop", "stride", "batch", "read_ahead", "fps", "bits", "near", "far")
_HINTS = get_type_hints(RunConfig)
_RUN = {field.name: _flag(field, _HINTS[field.name]) for field in attrs.fields(RunConfig) if field.name != "output"}
source_options = _apply(_SOURCE)
run_options = _apply(list(_RUN.values()))
"""Every option of the runner but the output, which each command names itself."""
instant_options = _apply([flag for name, flag in _RUN.items() if name not in _OF_FILES])
"""Those that mean something where one instant is judged and no file of results is written."""
job_options = _apply(_JOB)
SOURCE_NAMES = ("height", "width", "rate", "allow_truncated", "check")


def take_run(values: dict[str, Any]) -> dict[str, Any]:
    """Remove the options of the runner from those of a command and return those the user gave: the [run] table."""
    return take(values, *[name for name in _RUN if name in values])


def take(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """Remove `names` from the options of a command and return those the user gave."""
    found = {name: values.pop(name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def source_table(host: PluginHost, path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """The [source] table for a file, from the shared options (removed from `values`).

    Raises:
        UsageError: If an option is given that the source does not have.
    """
    component = find_source(host, path, values.pop("source"))
    given = take(values, *SOURCE_NAMES)
    _refuse_unknown(component, given)
    return override({"use": component.id, "path": str(path), **given}, values.pop("inputs"))


def _refuse_unknown(component: Component, given: Iterable[str]) -> None:
    known = {field.name for field in component.config.__attrs_attrs__}  # type: ignore[attr-defined]  # attrs classes have it
    for name in given:
        if name not in known:
            flag = "--no-check" if name == "check" else "--" + name.replace("_", "-")
            raise UsageError(f"{component.id} has no option {flag}: its files say that themselves")


def method_table(text: str) -> dict[str, Any]:
    """The table of a method given as one text: "classic/tfp window=21".

    >>> method_table("classic/tfp window=21")
    {'use': 'classic/tfp', 'window': 21}
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"-m {shown(text)}: {error}") from None
    if not words:
        raise UsageError("give a method, for example -m classic/tfi; spikecore list shows them")
    return override({"use": words[0]}, words[1:])
