"""`spikecore ssml split`. Imports no torch until it runs."""

from __future__ import annotations

from pathlib import Path

import click

from spikecore.cli import get_host

_KEPT = ("variant", "padding")  # options of ssml/mutual that its two networks have too


@click.group(short_help="weights of mutual learning")
def ssml() -> None:
    """Work with weights of ssml/mutual."""


@ssml.command(short_help="weights of ssml/mutual as those of ssml/nbsn and ssml/bsn")
@click.argument("weights", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="folder; that of the weights by default")
def split(weights: Path, output: Path | None) -> None:
    """Write nbsn.safetensors and bsn.safetensors from what a training of ssml/mutual left.

    Of a training with pretext = "masked", nbsn.safetensors alone.

    Each of the two is for its own model: spikecore reconstruct … -m ssml/nbsn --weights nbsn.safetensors.
    """
    from spikecore.weights import read, write
    from spikecore_plugin_ssml.variants import BRANCHES

    both = read(get_host().find("ssml/mutual", "model"), weights)
    options = {name: both.options[name] for name in _KEPT if name in both.options}
    folder = output or weights.parent
    folder.mkdir(parents=True, exist_ok=True)
    masked = both.options.get("pretext") == "masked"
    for branch in BRANCHES[masked:]:  # a masked bsn is not blind, so that ssml/bsn has no use for its weights
        own = {
            key.removeprefix(f"{branch}."): held for key, held in both.tensors.items() if key.startswith(f"{branch}.")
        }
        made = {
            "component": f"ssml/{branch}",
            "options": options,
            "training": f"ssml/mutual, split from {weights.name}",
        }
        click.echo(str(write(folder / f"{branch}.safetensors", own, made)))
