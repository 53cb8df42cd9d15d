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
    from spikecore import Bound, OutputError, load_model, write_weights
    from spikecore.files.inputs import Inputs
    from spikecore_plugin_ssml.variants import BRANCHES

    host = get_host()
    component = host.find("ssml/mutual", "model")
    both = load_model(host, Bound(component, host.configure(component, {})), str(weights))
    made_with = host.converter.unstructure(both.bound.config)
    tensors = both.model.network.state_dict()
    folder = output or weights.parent
    masked = made_with["pretext"] == "masked"
    targets = [folder / f"{branch}.safetensors" for branch in BRANCHES[masked:]]
    Inputs([weights]).refuse(*targets, *(path.with_suffix(".json") for path in targets))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made: {error.strerror or error}") from error
    for branch in BRANCHES[masked:]:  # a masked bsn is not blind, so that ssml/bsn has no use for its weights
        own = {key.removeprefix(f"{branch}."): held for key, held in tensors.items() if key.startswith(f"{branch}.")}
        made = {
            "component": f"ssml/{branch}",
            "options": {name: made_with[name] for name in _KEPT},
            "training": f"ssml/mutual, split from {weights.name}",
        }
        click.echo(str(write_weights(folder / f"{branch}.safetensors", own, made)))
