"""What was judged, for people: tables, reasons, and what failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from spikecore import SpikecoreError
from spikecore.cli.tables import cell_text, print_table

if TYPE_CHECKING:
    from spikecore import Score
    from spikecore_plugin_evaluate.judgement import Judgement


def show(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table of values."""
    print_table(header, [[cell_text(cell) for cell in row] for row in rows])


def by_method(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """The scores of one recording as one row per method: {"method", metric: value, …}."""
    from spikecore_plugin_evaluate.summary import table

    header, rows = table(scores, means=False)
    return [dict(zip(header[1:], row[1:], strict=True)) for row in rows]


def show_reasons(scores: Iterable[Score]) -> None:
    """Say why values are missing, on standard error: metrics of a method with the same reason together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for score in scores:
        if score.reason:
            reasons.setdefault((score.method, score.reason), []).append(score.metric)
    for (method, reason), metrics in reasons.items():
        click.echo(f"{', '.join(metrics)} of {method}: {reason}", err=True)


def complain(judged: Sequence[Judgement]) -> None:
    """Raise what failed as one error; with --debug also say where."""
    failures = [failure for one in judged for failure in one.failures]
    if not failures:
        return
    if click.get_current_context().find_root().params.get("debug"):
        for text in dict.fromkeys(failure.traceback for failure in failures):
            click.echo(text, err=True, nl=False)
    listed = dict.fromkeys(f"  {failure.item}: {failure.reason}" for failure in failures)
    count = sum(bool(one.failures) for one in judged)
    others = ", the others were" if count < len(judged) else ""
    raise SpikecoreError(
        "\n".join([f"{count} of {len(judged)} recordings could not be judged wholly{others}:", *listed])
    )
