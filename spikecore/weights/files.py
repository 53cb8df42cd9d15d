"""Finding, reading and writing trained weights: nothing is ever unpickled. Imports no torch.

A weights file written here is safetensors whose metadata entry "spikecore" says which component it is for and with
which options that was built. Any other file is foreign: the component's importer reads it, where there is one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from spikecore.errors import PluginError, WeightsError
from spikecore.files.atomic import atomic, write_text
from spikecore.plugin.component import Component

if TYPE_CHECKING:
    import torch

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


def file_hash(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_state(path: Path) -> tuple[int, int]:
    """Size and time of change, which tell whether a file is still the one that was hashed."""
    try:
        found = path.stat()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    return found.st_size, found.st_mtime_ns


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


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor], made: Mapping[str, Any], **card: Any) -> Path:
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
