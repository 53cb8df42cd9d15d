"""`spikecore list`, `plugins` and `show`: what is installed. None of them imports a component's code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import click

from spikecore.cli import get_host
from spikecore.cli.tables import json_text, print_table
from spikecore.cli.weights import weights_of
from spikecore.errors import PluginError
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.options import describe

as_json = click.option("--json", "as_json", is_flag=True, help="print JSON")
strict = click.option("--strict", is_flag=True, help="exit with 1 if a plugin could not be admitted")


@click.command("list")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), help="only components of this kind")
@as_json
@strict
def list_(kind: str | None, as_json: bool, strict: bool) -> None:
    """Components that are installed."""
    host = get_host()
    found = host.components(kind)
    if as_json:
        click.echo(json_text([summary(component) for component in found]))
    else:
        rows = [[c.kind, c.id, " ".join(sorted(c.consumes)), " ".join(sorted(c.produces)), c.summary] for c in found]
        print_table(["kind", "id", "takes", "gives", "what it is"], [list(map(str, row)) for row in rows])
    _report_failures(strict)


def summary(component: Component) -> dict[str, Any]:
    """What `list --json` says of a component."""
    return {
        "kind": str(component.kind),
        "id": component.id,
        "summary": component.summary,
        "consumes": sorted(component.consumes),
        "produces": sorted(component.produces),
        "targets": sorted(component.targets),
        "patterns": list(component.patterns),
        "writes": bool(component.writer),
        "license": component.license,
        "missing": component.missing(),
    }


@click.command()
@as_json
@strict
def plugins(as_json: bool, strict: bool) -> None:
    """Plugins, and what became of each."""
    host = get_host()
    statuses = [host.statuses[name] for name in sorted(host.statuses)]
    counts = {name: sum(c.plugin == name for c in host.components()) for name in host.statuses}
    if as_json:
        rows = [
            {
                "name": status.name,
                "state": status.state,
                "reason": status.reason,
                "distribution": status.distribution,
                "version": status.version,
                "summary": status.info.summary if status.info else "",
                "license": status.info.license if status.info else "",
                "components": counts[status.name],
            }
            for status in statuses
        ]
        click.echo(json_text(rows))
    else:
        table = [
            [s.name, s.state, s.version, str(counts[s.name]), s.reason or (s.info.summary if s.info else "")]
            for s in statuses
        ]
        print_table(["plugin", "state", "version", "components", "what it is, or why not"], table)
    _report_failures(strict)


def _report_failures(strict: bool) -> None:
    failed = get_host().failed()
    if failed and strict:
        raise PluginError("; ".join(f"plugin {status.name!r} failed: {status.reason}" for status in failed))
    if failed:
        names = ", ".join(status.name for status in failed)
        click.echo(f"not available: {names} (see spikecore doctor)", err=True)


@click.command()
@click.argument("reference", metavar="ID")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), help="if two kinds share the id")
@as_json
def show(reference: str, kind: str | None, as_json: bool) -> None:
    """One component: options with help, inputs and outputs, licence, citation."""
    host = get_host()
    component = host.find(reference, *([kind] if kind else []))
    options, weights = describe(component.config), weights_of(host, component)
    if as_json:
        extra = {"target": component.target, "citation": component.citation, "requires": list(component.requires)}
        extra["importer"] = component.importer
        table = [attrs.asdict(option) for option in options]
        click.echo(json_text({**summary(component), **extra, "options": table, "weights": weights}))
        return
    click.echo(f"{component.id} ({component.kind}): {component.summary}\n")
    facts = {
        "takes": ", ".join(sorted(component.consumes)),
        "gives": ", ".join(sorted(component.produces)),
        "ground truth": ", ".join(sorted(component.targets)),
        "files": " ".join(component.patterns) + (" (also written)" if component.writer else ""),
        "needs": ", ".join(component.requires),
        "not installed": ", ".join(component.missing()),
        "checkpoints": "those of other projects too: spikecore weights import" if component.importer else "",
        "licence": component.license,
    }
    for name, value in facts.items():
        if value:
            click.echo(f"{name + ':':14}{value}")
    if options:
        click.echo()
        print_table(["option", "type", "default", "meaning"], [list(attrs.astuple(option)) for option in options])
    if weights:
        click.echo()
        print_table(["weights", "where", "options", "licence", "scores"], [_weights_row(one) for one in weights])
    if component.citation:
        click.echo(f"\n{component.citation.strip()}")


def _weights_row(one: Mapping[str, Any]) -> list[str]:
    return [one["name"], one["where"], _words(one["options"]), one["license"], _words(one["scores"])]


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
