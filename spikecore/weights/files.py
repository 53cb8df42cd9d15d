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

from spikecore.errors import PluginError, WeightsError, shown
from spikecore.experiment.toml import parse_json
from spikecore.files.atomic import aside, together
from spikecore.plugin.component import Component
from spikecore.weights.plain import read_checkpoint, refuse_odd

if TYPE_CHECKING:
    import torch

ENTRY = "spikecore"
DIGEST = "spikecore.sha256"
_MAX_HEADER = 8_000_000
_MAX_STATEMENT = 1_000_000


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

    _refuse_long_header(path)
    try:
        with safe_open(str(path), framework="numpy") as opened:
            metadata = opened.metadata() or {}
        if ENTRY not in metadata:
            return None
        if len(metadata[ENTRY]) > _MAX_STATEMENT:
            raise ValueError(f"a statement of {len(metadata[ENTRY])} characters")
        said: dict[str, Any] = parse_json(metadata[ENTRY])
        owner, options = said["component"], said["options"]
        if not isinstance(options, dict):
            raise TypeError(f"options are a {type(options).__name__}")
    except Exception as error:  # the file's own parser and ours have many; all mean the same to the user
        raise WeightsError(f"{path} is not a plain weights file: {_reason(error)}") from error
    if owner != component.id:
        raise WeightsError(f"{path} holds weights of {str(owner)[:100]}, not of {component.id}\n  try: -m {owner}")
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
        checkpoint = dict(_unwrapped(checkpoint, path))
        _refuse_others(checkpoint, path)
        prefixed = all(key.startswith("module.") for key in checkpoint)  # so torch.nn.DataParallel writes them
        return Imported({key.removeprefix("module.") if prefixed else key: held for key, held in checkpoint.items()})
    try:
        imported = component.load_importer()(checkpoint)
    except (WeightsError, PluginError) as error:
        raise WeightsError(f"{path}: {error}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a checkpoint of another method makes importers fail in any way
        raise WeightsError(f"{path} is not for {component.id}: {_reason(error)}") from error
    if not isinstance(imported, Imported) or not isinstance(imported.tensors, Mapping):
        raise PluginError(
            f"{component.importer} of {component.id} gave {shown(imported)}, expected a spikecore Imported"
        )
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
    if path.suffix != ".safetensors":
        held = read_checkpoint(path)
        if not isinstance(held, Mapping):
            raise WeightsError(
                f"{path} is not a plain weights file: it holds a {type(held).__name__}, no named tensors"
            )
        return dict(held)
    from safetensors import safe_open
    from safetensors.torch import load_file

    _refuse_long_header(path)
    try:
        tensors = dict(load_file(str(path)))
        with safe_open(str(path), framework="numpy") as opened:
            metadata = opened.metadata() or {}
    except Exception as error:  # the format's own family of exceptions; all mean the same to the user
        raise WeightsError(f"{path} is not a plain weights file: {_reason(error)}") from error
    if DIGEST in metadata and metadata[DIGEST] != _digest(tensors, metadata.get(ENTRY, "")):
        raise WeightsError(f"{path} is damaged: its tensors are not those it was written with; copy or make it again")
    return tensors


def _refuse_long_header(path: Path) -> None:
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
    if not 2 <= length <= min(_MAX_HEADER, path.stat().st_size - 8):
        raise WeightsError(f"{path} is not a plain weights file: a header of {length} bytes, expected safetensors")


def _digest(tensors: Mapping[str, torch.Tensor], said: str) -> str:
    """Hex sha256 of tensors and of what is said of them; safetensors itself has no checksum."""
    from torch import uint8

    digest = hashlib.sha256(said.encode())
    for name, value in sorted(tensors.items()):
        digest.update(json.dumps([name, str(value.dtype), list(value.shape)]).encode())
        digest.update(value.contiguous().reshape(-1).view(uint8).numpy().data)
    return digest.hexdigest()


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:300]}"


def _unwrapped(checkpoint: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The tensors of a checkpoint that keeps them in a table ("state_dict", "params", …) beside other things."""
    if any(hasattr(value, "is_floating_point") for value in checkpoint.values()):
        return checkpoint
    tables = {
        key: table
        for key, table in checkpoint.items()
        if isinstance(table, Mapping) and table and all(hasattr(value, "is_floating_point") for value in table.values())
    }
    if len(tables) > 1:
        names = ", ".join(shown(key) for key in list(tables)[:8])
        hint = f"torch.save(checkpoint[{shown(next(iter(tables)))}], FILE)"
        raise WeightsError(f"{path} holds several tables of tensors: {names}\n  keep one: {hint}")
    return next(iter(tables.values()), checkpoint)


def _refuse_others(found: Mapping[str, Any], path: Path) -> None:
    for key, value in found.items():
        if not isinstance(key, str):
            raise WeightsError(f"{path}: an entry is named by a {type(key).__name__}, expected only named tensors")
        if not hasattr(value, "is_floating_point"):
            raise WeightsError(f"{path}: entry {shown(key)} is a {type(value).__name__}, expected only named tensors")
        refuse_odd(value, path, key)
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise WeightsError(f"{path}: tensor {shown(key)} holds NaN or infinity")


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
    from safetensors.torch import save

    plain = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    said = json.dumps(made, sort_keys=True) if made else ""
    metadata = {ENTRY: said, DIGEST: _digest(plain, said)} if made else {DIGEST: _digest(plain, said)}
    data = save(plain, metadata)  # into memory: its writer hides the reason if a disk is full
    stated = {"name": path.stem, "file": path.name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    stated |= {key: made[key] for key in ("options", "training") if key in made}
    beside = path.with_suffix(".json")
    with together(path) as files:
        files[path].write_bytes(data)
        files[beside] = aside(beside)
        files[beside].write_text(json.dumps({**stated, **card}, indent=2) + "\n", encoding="utf-8")
    return path
