"""Options that several commands share: where a recording comes from, which method, how to run it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from spikecore.api import find_source
from spikecore.component import Component
from spikecore.config import override
from spikecore.errors import UsageError
from spikecore.host import PluginHost

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
_RUN = [
    click.option("--gain", type=float, help="intensity per spike rate; the recording's own by default, else 1"),
    click.option("--display", type=click.Choice(["clip", "raw", "minmax", "percentile"]), help="picture values"),
    click.option("--gamma", type=float, help="pictures are intensity ** (1 / gamma)"),
    click.option("--device", help="cpu, cuda or cuda:N"),
    click.option("--weights", help="name or file of trained weights"),
    click.option("--tile", type=int, help="compute learned methods in squares of this side"),
    click.option("--overlap", type=int, help="pixels that neighbouring tiles share"),
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


source_options = _apply(_SOURCE)
run_options = _apply(_RUN)
job_options = _apply(_JOB)
SOURCE_NAMES = ("height", "width", "rate", "allow_truncated", "check")


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
    words = shlex.split(text)
    if not words:
        raise UsageError("give a method, for example -m classic/tfi; spikecore list shows them")
    return override({"use": words[0]}, words[1:])
