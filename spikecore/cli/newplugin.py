"""`spikecore new-plugin`: a plugin that works, to start from."""

from __future__ import annotations

from pathlib import Path

import click

from spikecore.cli import get_host
from spikecore.plugin.component import Kind
from spikecore.templates.scaffold import new_plugin as render
from spikecore.templates.scaffold import next_steps


@click.command("new-plugin")
@click.argument("name")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), required=True, help="what it offers")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=Path(), help="where to make its folder (here)"
)
def new_plugin(name: str, kind: str, folder: Path) -> None:
    """Start a plugin: a small project that works and passes its contract test.

    NAME is lower-case words with hyphens, for example blind-spot; the component is then blind-spot/blind-spot.
    """
    project = render(name, kind, folder, taken=get_host().statuses)
    click.echo(f"{project} is ready; go on with\n")
    for command in next_steps(project, name):
        click.echo(f"  {command}")
