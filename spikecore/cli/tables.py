"""Tables of scores as text: CSV, JSON, Markdown."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from spikecore.cli.terminal import cleaned, uncleaned

Row = Sequence[Any]


def to_csv(header: Sequence[str], rows: Sequence[Row]) -> str:
    """Comma-separated, full precision; empty where there is no value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


def to_json(header: Sequence[str], rows: Sequence[Row]) -> str:
    """A list of objects; null where there is no value."""
    return json_text([dict(zip(header, row, strict=True)) for row in rows]) + "\n"


def json_text(value: Any) -> str:
    """JSON that every reader takes: what is infinite or NaN is null, as JSON has no word for it.

    >>> print(json_text([1.5, float("inf")]).split())
    ['[', '1.5,', 'null', ']']
    """
    return json.dumps(_finite(value), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return value


def to_markdown(header: Sequence[str], rows: Sequence[Row]) -> str:
    """A GitHub table, numbers with four digits."""
    lines = [header, ["---"] * len(header), *[[cell_text(cell).replace("|", "\\|") for cell in row] for row in rows]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


FORMATS: dict[str, Callable[[Sequence[str], Sequence[Row]], str]] = {
    ".csv": to_csv,
    ".json": to_json,
    ".md": to_markdown,
}


def cell_text(cell: Any) -> str:
    """A cell for people.

    >>> cell_text(23.4961), cell_text(None), cell_text("classic/tfp"), cell_text(12)
    ('23.4961', '-', 'classic/tfp', '12')
    """
    if cell is None:
        return "-"
    return f"{cell:.4f}" if isinstance(cell, float) else str(cell)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a header: aligned and wrapped on a terminal, aligned and unwrapped into a pipe or file."""
    if sys.stdout is None or not sys.stdout.isatty():
        _plain([header, *rows])
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cleaned(cell)) for cell in row))
    Console(file=uncleaned(sys.stdout)).print(table)


def _plain(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
