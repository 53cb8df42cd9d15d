"""Finding, reading and writing trained weights: nothing is ever unpickled. Imports no torch.

A weights file written here is safetensors whose metadata entry "spikecore" says which component it is for and with
which options that was built. Any other file is foreign: the component's importer reads it, where there is one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from spikecore.component import Component, Weights
from spikecore.errors import ConfigError, PluginError, WeightsError, closest
from spikecore.hookspecs import hookimpl
from spikecore.host import PluginHost
from spikecore.output import atomic, write_text

if TYPE_CHECKING:
    import torch

    from spikecore.experiment import Bound

ENTRY = "spikecore"


@attrs.frozen(eq=False)
class Imported:
    """What an importer made of a foreign checkpoint.

    Args:
        tensors: Under the keys of the model's bare network.
        options: Options of the component that the tensors need, for example {"variant": "a"}.
    """

    tensors: Mapping[str, torch.Tensor]
    options: Mapping[str, object] = attrs.field(factory=dict)


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
    """The file of declared weights, None if it is not on this machine."""
    found: Path | None = host.hook.spikecore_resolve_weights(weights=weights, component=component, cache=cache_folder())
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
    if name and name not in known.keys() | imported.keys() and Path(name).is_file():
        return Path(name), file_hash(Path(name))
    if name in imported and name not in known:
        return _checked(imported[name], _card(imported[name]).get("sha256", ""), name, component)
    if not known and not imported:
        asked = f"no weights file {name!r}" if name else "it ships none"
        raise WeightsError(
            f"{component.id} needs trained weights: {asked}\n  try: --weights FILE.safetensors, or train it"
        )
    weights = known.get(name) if name else next(iter(component.weights), None)
    if weights is None:
        asked = f"has no weights {name!r} and there is no such file" if name else "ships no weights; name imported ones"
        raise WeightsError(f"{component.id} {asked}: {closest(name, [*known, *imported])}\n  try: --weights NAME")
    path = resolve(host, component, weights)
    if path is None:
        source = f"spikecore weights fetch {component.id} {weights.name}" if weights.url else "reinstall the plugin"
        raise WeightsError(f"weights {weights.name!r} of {component.id} are not on this machine\n  try: {source}")
    return _checked(path, weights.sha256, weights.name, component)


def _checked(path: Path, stated: str, name: str, component: Component) -> tuple[Path, str]:
    found = file_hash(path)
    if found != stated:
        raise WeightsError(
            f"{path}: sha256 {found} is not that of weights {name!r} of {component.id} ({stated}); remove the file"
        )
    return path, found


def _card(path: Path) -> dict[str, Any]:
    try:
        card: Any = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def imported_weights(component: Component) -> list[Weights]:
    """Imported weights of a component, as their cards describe them; those without a readable card are left out."""
    found = []
    for name, path in imported_paths(component).items():
        with suppress(TypeError, ValueError):
            found.append(Weights(**{**_card(path), "name": name, "file": path.name}))
    return found


def file_hash(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def declared(host: PluginHost, bound: Bound, name: str = "") -> Weights | None:
    """The declared weights of that name, None if there are none.

    Without a name: the first that need no other options than were given, else the first.
    """
    offered = bound.component.weights
    if name:
        return next((one for one in offered if one.name == name), None)
    settled = ((one, _settled(host, bound, one.options, f"weights {one.name!r}")) for one in offered)
    return next((one for one, config in settled if not _contradicted(bound, config)), next(iter(offered), None))


def fitted(host: PluginHost, bound: Bound, name: str = "") -> Bound:
    """A model with the options that its weights need, where they were left unset. Reads no tensors of our own files.

    Raises:
        ConfigError: If the weights need another value of an option that was given.
        WeightsError: If there are no such weights, or they cannot be read.
    """
    weights = declared(host, bound, name)
    if weights is not None:
        return merged(host, bound, weights.options, f"weights {weights.name!r}")
    path, _ = locate(host, bound.component, name)
    own = statement(path, bound.component)
    options = own["options"] if own else read(bound.component, path).options
    return merged(host, bound, options, str(path))


def merged(host: PluginHost, bound: Bound, options: Mapping[str, object], whose: str) -> Bound:
    """A component with `options` where they were left unset.

    Raises:
        ConfigError: If one of them that is not adjustable was given another value, or one does not exist.
    """
    config = _settled(host, bound, options, whose)
    for name in _contradicted(bound, config):
        given, wanted = getattr(bound.config, name), getattr(config, name)
        raise ConfigError(
            f"{bound.component.id}: {name}={given} was given, but {whose} were made with {name}={wanted}\n"
            f"  try: leave {name} out, or choose other weights (spikecore weights list {bound.component.id})"
        )
    return attrs.evolve(bound, config=config)


def _settled(host: PluginHost, bound: Bound, options: Mapping[str, object], whose: str) -> Any:
    if not options:
        return bound.config
    current = {key: value for key, value in host.converter.unstructure(bound.config).items() if value is not None}
    given = {
        field.name for field in attrs.fields(type(bound.config)) if field.metadata.get("adjustable")
    } & bound.explicit
    wanted = {key: value for key, value in options.items() if key not in given}
    return host.configure(bound.component, current | wanted, f"{bound.component.id}, options of {whose}")


def _contradicted(bound: Bound, config: Any) -> list[str]:
    return sorted(name for name in bound.explicit if getattr(bound.config, name) != getattr(config, name))


def statement(path: Path, component: Component) -> dict[str, Any] | None:
    """What a weights file says of itself: {"component", "options", "training"}; None if it is foreign.

    Raises:
        WeightsError: If the file is for another component, or no weights file at all.
    """
    _refuse_impostors(path)
    if path.suffix != ".safetensors":
        return None
    from safetensors import safe_open

    try:
        with safe_open(str(path), framework="numpy") as opened:
            text = (opened.metadata() or {}).get(ENTRY)
        if text is None:
            return None
        said: dict[str, Any] = json.loads(text)
        owner, options = said["component"], said["options"]
        if not isinstance(options, dict):
            raise TypeError(f"options are a {type(options).__name__}")
    except Exception as error:  # the file's own parser and ours have many; all mean the same to the user
        raise WeightsError(f"{path} is not a plain weights file: {type(error).__name__}: {error}") from error
    if owner != component.id:
        raise WeightsError(f"{path} holds weights of {owner}, not of {component.id}\n  try: -m {owner}")
    return said


def read(component: Component, path: Path, foreign: bool = True) -> Imported:
    """The tensors of a weights file under the keys of the component's network, and the options they were made with.

    Args:
        component: Whose weights they shall be; its importer reads foreign files.
        path: safetensors, or a checkpoint of tensors that torch reads without unpickling objects.
        foreign: False if a file that does not state its component is known to have the network's own keys.

    Raises:
        WeightsError: If the file is for another component, no weights file, or the importer does not know it.
    """
    own = statement(path, component)
    if own is not None or not foreign:
        return Imported(load_tensors(path), own["options"] if own else {})
    checkpoint = _load(path)
    if not component.importer:
        _refuse_others(checkpoint, path)
        prefixed = all(key.startswith("module.") for key in checkpoint)  # so torch.nn.DataParallel writes them
        return Imported({key.removeprefix("module.") if prefixed else key: held for key, held in checkpoint.items()})
    try:
        imported = component.load_importer()(checkpoint)
    except (WeightsError, PluginError) as error:
        raise WeightsError(f"{path}: {error}") from error
    except Exception as error:  # a checkpoint of another method makes importers fail in any way
        raise WeightsError(f"{path} is not for {component.id}: {type(error).__name__}: {error}") from error
    if not isinstance(imported, Imported):
        raise PluginError(f"{component.importer} of {component.id} gave {imported!r}, expected a spikecore Imported")
    _refuse_others(imported.tensors, path)
    return imported


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Plain named tensors from a safetensors file or a legacy `.pth` of tensors.

    Raises:
        WeightsError: If the file is empty, a Git-LFS pointer, a web page, holds code or anything but finite tensors.
    """
    found = _load(path)
    _refuse_others(found, path)
    return found


def _load(path: Path) -> dict[str, Any]:
    """What a file holds, possibly nested; no code in it runs."""
    _refuse_impostors(path)
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(str(path)))
        import torch

        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # each format has its own family of exceptions; all mean the same to the user
        raise WeightsError(f"{path} is not a plain weights file: {type(error).__name__}: {error}") from error


def _refuse_others(found: Mapping[str, Any], path: Path) -> None:
    for key, value in found.items():
        if not hasattr(value, "is_floating_point"):
            raise WeightsError(f"{path}: entry {key!r} is a {type(value).__name__}, expected only named tensors")
        if value.is_sparse or value.untyped_storage().nbytes() < value.numel() * value.element_size():
            raise WeightsError(f"{path}: tensor {key!r} of shape {tuple(value.shape)} is a view of less")
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise WeightsError(f"{path}: tensor {key!r} holds NaN or infinity")


def _refuse_impostors(path: Path) -> None:
    if not path.is_file():
        raise WeightsError(f"{path}: no such file")
    with path.open("rb") as stream:
        head = stream.read(64)
    if not head:
        raise WeightsError(f"{path}: empty file")
    if head.startswith(b"version https://git-lfs"):
        raise WeightsError(f"{path} is a Git-LFS pointer, not the file\n  try: git lfs pull")
    if head.lstrip()[:1] == b"<":
        raise WeightsError(f"{path} is a web page, not a weights file; download it again")


def write(path: Path, tensors: Mapping[str, torch.Tensor], made: Mapping[str, Any], **card: Any) -> Path:
    """Write weights as safetensors, and a card NAME.json beside them; both atomically.

    Args:
        path: A name that ends in .safetensors.
        tensors: Under the keys of the bare network.
        made: {"component", "options", "training"} for the metadata; empty where the component is not known.
        **card: More for the card, for example scores; it holds what `Weights` needs.
    """
    from safetensors.torch import save_file

    plain = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    metadata = {ENTRY: json.dumps(made, sort_keys=True)} if made else None
    with atomic(path) as temporary:
        save_file(plain, str(temporary), metadata=metadata)
    stated = {"name": path.stem, "file": path.name, "sha256": file_hash(path), "size": path.stat().st_size}
    stated |= {key: made[key] for key in ("options", "training") if key in made}
    write_text(path.with_suffix(".json"), json.dumps({**stated, **card}, indent=2) + "\n")
    return path
