"""Checkpoint files of torch, looked at before and after torch reads them. Imports torch when a file is read.

torch unpickles no objects where it is told so, but compares no checksums, reads sizes that are not there, and takes
tensors of any kind and any number. So the file is looked at first: what its opcodes build, and whether each member is
what was written.
"""

from __future__ import annotations

import pickletools
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikecore.errors import WeightsError, shown

if TYPE_CHECKING:
    import torch

_FOLDER = 0x10
_MAX_PICKLE = 2_000_000
_MAX_VALUES = 1_000_000
_MAX_OPCODES = 400_000  # a tensor takes about thirty
_MAX_WORK = 2_000_000
_MAX_DEPTH = 32
_BUILT = re.compile(
    r"collections OrderedDict|torch (Size|device)|torch\.storage UntypedStorage|torch \w+Storage"
    r"|torch\._utils (_rebuild_tensor|_rebuild_tensor_v2|_rebuild_parameter)"
)
_KINDS = {"float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"}
_REMEDY = "if you trust it, keep its tensors alone: torch.save(model.state_dict(), FILE)"


def read_checkpoint(path: Path) -> Any:
    """What a checkpoint file of torch holds: tensors, numbers, texts, and tables and lists of them; no code in it runs.

    Raises:
        WeightsError: If the file is damaged, holds anything else, or more than a checkpoint needs.
    """
    import torch

    try:
        stored = _look(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            held = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except Exception as error:  # damaged files raise one of a dozen kinds, with advice that is not ours
        reason = str(error).split("\n")[0].split(". ")[0][:120] if isinstance(error, (OSError, EOFError)) else ""
        raise WeightsError(
            f"{path} is not a plain weights file: {type(error).__name__}{': ' if reason else ''}{reason}"
        ) from error
    used = Counter({one.data_ptr(): one.nbytes() for one in (t.untyped_storage() for t in _tensors(held, path))})
    if stored is not None and Counter(filter(None, used.values())) - stored:
        raise WeightsError(f"{path} is damaged: its tensors are not of the sizes that it stores")
    return held


def _look(path: Path) -> Counter[int] | None:
    """Check a file; gives how many members of which size it stores, None for the old format, which has none."""
    with path.open("rb") as file:
        start = file.read(_MAX_PICKLE + 1)
    if not start.startswith(b"PK\3\4"):  # as torch itself tells them apart
        head = BytesIO(start)
        for _ in range(5):  # magic number, version, machine, content, names of storages
            _look_at_pickle(head, path)
        warnings.warn(
            f"{path} is of torch's old format, which has no checksums: damage in it goes unnoticed", stacklevel=2
        )
        return None
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        if len(set(names)) < len(names) or any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise WeightsError(
                f"{path} is damaged: members of one name, or compressed ones, which torch does not write"
            )
        if any(member.external_attr & _FOLDER for member in members):  # torch would take what lies in memory for it
            raise WeightsError(f"{path} is damaged: a member is marked as a folder; fetch or copy it again")
        if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
            raise WeightsError(f"{path} is not a plain weights file: it is a TorchScript program\n  {_REMEDY}")
        if (damaged := archive.testzip()) is not None:
            raise WeightsError(f"{path} is damaged: the checksum of {damaged} is wrong; fetch or copy it again")
        for member in members:
            if member.filename.lower().endswith("data.pkl"):
                if member.file_size > _MAX_PICKLE:
                    raise WeightsError(f"{path} lists {member.file_size} bytes of entries, more than weights need")
                _look_at_pickle(BytesIO(archive.read(member)), path)
        return Counter(member.file_size for member in members if "/data/" in member.filename)


def _look_at_pickle(opcodes: BytesIO, path: Path) -> None:
    """Refuse what builds anything but tensors and plain values; runs nothing of it.

    A tuple of the same tuple twice, sixty times over, is small, but looking at it as the key of a table takes for ever:
    the sizes that tuples would have without sharing are added up.
    """
    stack: list[int] = []  # how many values each entry is made of; 0 is a mark
    memo: dict[Any, int] = {}
    total = 0
    for number, (opcode, argument, _) in enumerate(pickletools.genops(opcodes)):
        items = _taken(opcode, stack)
        if opcode.name.endswith("PUT"):
            memo[argument] = stack[-1]
        size = 0 if opcode.name == "MARK" else 1
        if opcode.name.startswith("TUPLE") or opcode.name == "DUP":
            size += sum(items)
        elif opcode.name.endswith("GET"):
            size = memo[argument]
        stack += [size] * len(opcode.stack_after)
        total += size
        if total > _MAX_WORK or number > _MAX_OPCODES:
            raise WeightsError(f"{path} holds more, or more deeply nested, entries than weights need")
        if opcode.name in ("GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4"):
            built = argument if isinstance(argument, str) else opcode.name
            if opcode.name != "GLOBAL" or not _BUILT.fullmatch(built):
                what = shown(built.replace(" ", "."))
                raise WeightsError(f"{path} is not a plain weights file: it holds {what}\n  {_REMEDY}")


def _taken(opcode: pickletools.OpcodeInfo, stack: list[int]) -> list[int]:
    """What an opcode takes from the stack."""
    before, items = opcode.stack_before, []
    if marked := pickletools.markobject in before:
        while item := stack.pop():
            items.append(item)
    return items + [stack.pop() for _ in range(len(before) - 2 * marked)]


def _tensors(held: Any, path: Path) -> Iterator[torch.Tensor]:
    """Every tensor in what a file held; each value is looked at once, however often it occurs."""
    level, seen = [held], {id(held)}
    for _ in range(_MAX_DEPTH):
        found: list[Any] = []
        for value in level:
            if hasattr(value, "is_floating_point"):
                refuse_odd(value, path)
                yield value
            elif isinstance(value, Mapping):
                found += [*value, *value.values()]
            elif isinstance(value, (list, tuple)):
                found += value
        level = [one for one in {id(one): one for one in found}.values() if id(one) not in seen]
        seen |= set(map(id, level))
        if len(seen) > _MAX_VALUES:
            break
        if not level:
            return
    raise WeightsError(f"{path} holds more, or more deeply nested, entries than weights need")


def refuse_odd(tensor: torch.Tensor, path: Path, key: str = "") -> None:
    """Refuse a tensor that is not plain: sparse, quantised, without data, of an odd number format, a view of less."""
    kind = str(tensor.dtype).removeprefix("torch.")
    plain = str(tensor.layout) == "torch.strided" and tensor.device.type == "cpu" and not tensor.is_quantized
    name = f"tensor {key[:100]!r}" if key else "a tensor"
    if not plain or kind not in _KINDS:
        where = "" if tensor.device.type == "cpu" else f" on {tensor.device.type}"
        found = f"{kind}, {str(tensor.layout).removeprefix('torch.')}{where}"
        raise WeightsError(f"{path}: {name} is {found}; expected dense real numbers of an ordinary format")
    if tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
        raise WeightsError(f"{path}: {name} of shape {tuple(tensor.shape)} is a view of less")
