"""`spikecore weights`: trained weights that are shipped, fetched or imported. Listing imports no torch."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import attrs
import click

from spikecore.cli import get_host
from spikecore.cli.tables import json_text, print_table
from spikecore.cli.terminal import uncleaned
from spikecore.errors import UsageError, WeightsError, closest
from spikecore.files.atomic import atomic
from spikecore.files.inputs import Inputs
from spikecore.plugin.component import Component, Kind, Weights
from spikecore.plugin.host import PluginHost
from spikecore.weights.find import (
    cache_folder,
    cached_path,
    imported_folder,
    imported_paths,
    imported_weights,
    resolve,
    shipped_path,
)

SCHEMES = ("https", "http", "file")
_NAME = re.compile(r"[A-Za-z0-9_][\w-]*(\.[\w-]+)*")
_CHUNK = 1 << 20


@click.group()
def weights() -> None:
    """Trained weights: what there is, fetch it, import checkpoints of other projects."""


@weights.command("list")
@click.argument("reference", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def list_(reference: str | None, as_json: bool) -> None:
    """Weights of every component, or of the one called ID."""
    host = get_host()
    components = [host.find(reference)] if reference else host.components()
    rows = [row for component in components for row in weights_of(host, component)]
    if as_json:
        click.echo(json_text(rows))
        return
    header = ["component", "name", "where", "size", "licence", "scores"]
    print_table(header, [[row["component"], row["name"], row["where"], *_texts(row)] for row in rows])


def weights_of(host: PluginHost, component: Component) -> list[dict[str, Any]]:
    """The weights of a component, declared and imported, as plain values."""
    found = [(one, *_whereabouts(host, component, one)) for one in component.weights]
    kept = imported_paths(component)
    found += [(one, "imported", kept[one.name]) for one in imported_weights(component)]
    return [
        {"component": component.id, "where": where, "path": str(path) if path else None, **attrs.asdict(one)}
        for one, where, path in found
    ]


def _whereabouts(host: PluginHost, component: Component, one: Weights) -> tuple[str, Path | None]:
    path = resolve(host, component, one)
    if path is None:
        return "not here", None
    return ("shipped" if path == shipped_path(one, component) else "fetched"), path


def _texts(row: dict[str, Any]) -> list[str]:
    scores = ", ".join(f"{name} {value:g}" for name, value in row["scores"].items())
    return [f"{row['size'] / 1e6:.1f} MB", row["license"], scores]


@weights.command("fetch")
@click.argument("reference", metavar="ID")
@click.argument("name", required=False)
def fetch_(reference: str, name: str | None) -> None:
    """Download weights of component ID into the cache: those called NAME, or all that are not here."""
    host = get_host()
    component = host.find(reference)
    known = {one.name: one for one in component.weights}
    if name is not None and name not in known:
        raise UsageError(f"{component.id} has no weights {name!r}: {closest(name, known)}")
    if not known:
        raise UsageError(f"{component.id} declares no weights\n  try: spikecore weights list")
    for one in [known[name]] if name else known.values():
        where, path = _whereabouts(host, component, one)
        if path is not None and path.stat().st_size == one.size:
            click.echo(f"{one.name}: {where} already, {path}")
            continue
        with click.progressbar(
            length=one.size, label=f"{one.name}, {one.size / 1e6:.1f} MB", file=uncleaned(sys.stderr)
        ) as bar:
            path = fetch(component, one, bar.update)
        click.echo(f"{one.name}: {path}")


def fetch(component: Component, one: Weights, progress: Callable[[int], None] = lambda count: None) -> Path:
    """Download weights into the cache; they have their final name only when size and sha256 are right.

    Args:
        component: Whose weights.
        one: Which of them; they state a URL.
        progress: Called with the number of bytes of each piece.

    Raises:
        UsageError: If they state no URL, or one that cannot be fetched.
        WeightsError: If the download fails or is not what was stated.
    """
    if urlsplit(one.url).scheme not in SCHEMES:
        stated = f"the URL {one.url!r}; known are {', '.join(SCHEMES)}" if one.url else "no URL; reinstall the plugin"
        raise UsageError(f"weights {one.name!r} of {component.id} state {stated}")
    path = cached_path(one, cache_folder())
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        size, digest = 0, hashlib.sha256()
        with temporary.open("wb") as stream:
            for piece in _download(one.url):
                size += len(piece)
                if size > one.size:
                    raise WeightsError(f"{one.url} gives more than the {one.size} bytes stated for {one.name!r}")
                digest.update(piece)
                stream.write(piece)
                progress(len(piece))
        if size != one.size:
            raise WeightsError(f"{one.url} gave {size} bytes, stated are {one.size} for {one.name!r}; try again")
        if digest.hexdigest() != one.sha256:
            raise WeightsError(f"{one.url}: sha256 {digest.hexdigest()} is not the stated {one.sha256} of {one.name!r}")
    return path


def _download(url: str) -> Iterator[bytes]:
    try:
        with urlopen(url, timeout=60) as reply:
            while piece := reply.read(_CHUNK):
                yield piece
    except (OSError, HTTPException, ValueError) as error:  # URLError and time-outs are OSErrors
        reason = getattr(error, "reason", "") or str(error) or type(error).__name__
        hint = "try: again later, or download it by other means and give --weights FILE"
        raise WeightsError(f"{url} cannot be fetched: {reason}\n  {hint}") from error


@weights.command("import")
@click.argument("reference", metavar="ID")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--name", help="what the weights are called afterwards; the file's name by default")
@click.option("--force", is_flag=True, help="replace weights of that name")
def import_(reference: str, path: Path, name: str | None, force: bool) -> None:
    """Read FILE, a checkpoint of another project, as weights of model ID, and keep them.

    No code in the file runs. The weights must fit the model, key by key; --weights NAME uses them from then on.
    """
    host = get_host()
    component = host.find(reference, Kind.MODEL)
    name = path.stem if name is None else name
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for weights: letters, digits, '-', '_' and '.'\n  try: --name NAME")
    if name in {one.name for one in component.weights}:
        raise UsageError(f"{component.id} comes with weights {name!r}; choose another name\n  try: --name NAME")
    if name in imported_paths(component) and not force:
        raise UsageError(f"{component.id} has imported weights {name!r} already\n  try: --force, or --name NAME")
    Inputs([path]).refuse(imported_folder(component) / f"{name}.safetensors")
    from spikecore.weights.load import import_weights

    written = import_weights(host, component, path, name)
    click.echo(f"{written}\nuse them: spikecore reconstruct FILE -m {component.id} --weights {name}")
