"""Finding trained weights and loading them safely: nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from spikecore.component import Component, Weights
from spikecore.errors import WeightsError, closest
from spikecore.hookspecs import hookimpl
from spikecore.host import PluginHost

if TYPE_CHECKING:
    import torch


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
    """Where fetched weights lie: SPIKECORE_CACHE, else the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("SPIKECORE_CACHE") or Path(base) / "spikecore") / "weights"


@hookimpl(trylast=True)
def spikecore_resolve_weights(weights: Weights, component: Component, cache: Path) -> Path | None:
    """The core's own resolver: the file in the plugin's wheel, then the cache."""
    if weights.file:
        package = component.target.partition(":")[0].partition(".")[0]
        shipped = Path(str(files(package))) / weights.file
        if shipped.is_file():
            return shipped
    cached = cache / weights.sha256 / Path(weights.url or weights.file).name
    return cached if cached.is_file() else None


def locate(host: PluginHost, component: Component, name: str = "") -> tuple[Path, str]:
    """The file of a component's weights and its sha256.

    Args:
        host: Whose `spikecore_resolve_weights` hooks are asked.
        component: Whose weights.
        name: A name from `component.weights`, or the path of a file; the first of the component's by default.

    Raises:
        WeightsError: If there are none of that name, the file is missing, or its hash is not the stated one.
    """
    if name and Path(name).suffix and Path(name).is_file():
        return Path(name), file_hash(Path(name))
    known = {weights.name: weights for weights in component.weights}
    if not known:
        asked = f"no weights file {name!r}" if name else "it ships none"
        raise WeightsError(f"{component.id} needs trained weights: {asked}\n  try: --weights FILE.safetensors")
    weights = known.get(name) if name else component.weights[0]
    if weights is None:
        raise WeightsError(f"{component.id} has no weights {name!r} and there is no such file: {closest(name, known)}")
    path = host.hook.spikecore_resolve_weights(weights=weights, component=component, cache=cache_folder())
    if path is None:
        source = f"download {weights.url} and give --weights FILE" if weights.url else "reinstall the plugin"
        raise WeightsError(f"weights {weights.name!r} of {component.id} are not on this machine\n  try: {source}")
    found = file_hash(path)
    if found != weights.sha256:
        raise WeightsError(
            f"{path}: sha256 {found} is not that of weights {weights.name!r} ({weights.sha256}); remove the file"
        )
    return path, found


def file_hash(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Plain named tensors from a safetensors file or a legacy `.pth` of tensors.

    Raises:
        WeightsError: If the file is empty, a Git-LFS pointer, a web page, holds code or anything but finite tensors.
    """
    _refuse_impostors(path)
    try:
        found = _read_tensors(path)
    except Exception as error:  # each format has its own family of exceptions; all mean the same to the user
        raise WeightsError(f"{path} is not a plain weights file: {type(error).__name__}: {error}") from error
    for key, value in found.items():
        if not hasattr(value, "is_floating_point"):
            raise WeightsError(f"{path}: entry {key!r} is a {type(value).__name__}, expected only named tensors")
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise WeightsError(f"{path}: tensor {key!r} holds NaN or infinity")
    return found


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


def _read_tensors(path: Path) -> dict[str, Any]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(str(path)))
    import torch

    return dict(torch.load(path, map_location="cpu", weights_only=True))
