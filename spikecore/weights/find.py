"""Where trained weights lie: in the wheel, in the cache, imported, or in a file of the user."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spikecore.errors import SpikecoreError, SpikeFormatError, WeightsError, closest, shown
from spikecore.experiment.toml import read_table
from spikecore.plugin.component import Component, Weights
from spikecore.plugin.converter import as_path
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.weights.files import file_hash


def cache_folder() -> Path:
    """Where fetched and imported weights lie: SPIKECORE_CACHE, else the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("SPIKECORE_CACHE") or Path(base) / "spikecore") / "weights"


def cached_path(weights: Weights, cache: Path) -> Path:
    """Where fetched weights lie in the cache."""
    return cache / weights.sha256 / Path(urlsplit(weights.url).path or weights.file).name


def shipped_path(weights: Weights, component: Component) -> Path | None:
    """The file in the plugin's package, None if it is not shipped."""
    if not weights.file:
        return None
    package = component.target.partition(":")[0].partition(".")[0]
    path = Path(str(files(package))) / weights.file
    return path if path.is_file() else None


def imported_folder(component: Component) -> Path:
    """Where `spikecore weights import` puts what it made for a component."""
    return cache_folder() / "imported" / component.id


def imported_paths(component: Component) -> dict[str, Path]:
    """Imported weights of a component by name."""
    return {path.stem: path for path in sorted(imported_folder(component).glob("[!.]*.safetensors"))}


@hookimpl(trylast=True)
def spikecore_resolve_weights(weights: Weights, component: Component, cache: Path) -> Path | None:
    """The core's own resolver: the file in the plugin's wheel, then the cache."""
    cached = cached_path(weights, cache)
    return shipped_path(weights, component) or (cached if cached.is_file() else None)


def resolve(host: PluginHost, component: Component, weights: Weights) -> Path | None:
    """The file of declared weights, None if it is not on this machine.

    Raises:
        WeightsError: If a plugin's resolver fails or gives no file.
    """
    try:
        found = host.hook.spikecore_resolve_weights(weights=weights, component=component, cache=cache_folder())
    except SpikecoreError as error:  # of a plugin's resolver; the other methods must not suffer from it
        raise WeightsError(f"weights {weights.name!r} of {component.id} could not be looked up: {error}") from error
    if found is not None and not (isinstance(found, Path) and found.is_file()):
        raise WeightsError(f"weights {weights.name!r} of {component.id}: a plugin says {found!r}, which is no file")
    return found


def locate(host: PluginHost, component: Component, name: str = "") -> tuple[Path, str]:
    """The file of a component's weights and its sha256.

    Args:
        host: Whose `spikecore_resolve_weights` hooks are asked.
        component: Whose weights.
        name: The path of a file, a name from `component.weights`, or one of imported weights; the first of the
            component's by default.

    Raises:
        WeightsError: If there are none of that name, the file is missing, or its hash is not the stated one.
    """
    known = {weights.name: weights for weights in component.weights}
    imported = imported_paths(component)
    if name and name not in known.keys() | imported.keys() and _is_file(name):
        stated = _card(Path(name))
        found, card = file_hash(Path(name)), Path(name).with_suffix(".json")
        if stated.get("file") == Path(name).name and stated.get("sha256", found) != found:
            raise WeightsError(
                f"{name}: sha256 {found} is not that of its card {card} ({shown(stated['sha256'])})\n"
                "  if the file is right, remove the card; else fetch, import or make it again"
            )
        return Path(name), found
    if name in imported and name not in known:
        return _checked(imported[name], _card(imported[name]).get("sha256", ""), name, component)
    if not known and not imported:
        asked = f"no weights file {shown(name)}" if name else "it ships none"
        raise WeightsError(
            f"{component.id} needs trained weights: {asked}\n  try: --weights FILE.safetensors, or train it"
        )
    weights = known.get(name) if name else next(iter(component.weights), None)
    if weights is None:
        asked = (
            f"has no weights {shown(name)} and there is no such file"
            if name
            else "ships no weights; name imported ones"
        )
        raise WeightsError(f"{component.id} {asked}: {closest(name, [*known, *imported])}\n  try: --weights NAME")
    path = resolve(host, component, weights)
    if path is None:
        source = f"spikecore weights fetch {component.id} {weights.name}" if weights.url else "reinstall the plugin"
        raise WeightsError(f"weights {weights.name!r} of {component.id} are not on this machine\n  try: {source}")
    return _checked(path, weights.sha256, weights.name, component)


def _is_file(name: str) -> bool:
    try:
        return as_path(name).is_file()
    except ValueError:  # no file can have that name
        return False


def _checked(path: Path, stated: str, name: str, component: Component) -> tuple[Path, str]:
    found = file_hash(path)
    if found != stated:
        raise WeightsError(
            f"{path}: sha256 {found} is not that of weights {name!r} of {component.id} ({stated or 'none is stated'}); "
            "remove the file, and fetch, import or make it again"
        )
    return path, found


def _card(path: Path) -> dict[str, Any]:
    try:
        return read_table(path.with_suffix(".json"))
    except SpikeFormatError:
        return {}


def imported_weights(component: Component) -> list[Weights]:
    """Imported weights of a component, as their cards describe them; those without a readable card are left out."""
    found = []
    for name, path in imported_paths(component).items():
        with suppress(TypeError, ValueError, SpikecoreError):
            found.append(Weights(**{**_card(path), "name": name, "file": path.name}))
    return found
