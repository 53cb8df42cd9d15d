"""Commands that write to a disk that is full: an error in the project's words, and nothing half under a final name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commands import COMMANDS, contents, given, start, unfinished

_SHARES = (0.05, 0.5, 0.95)
_HANGS = 300.0


def attack(workers: int, names: Sequence[str] = ()) -> tuple[list[list[str]], list[str]]:
    """Run every command where files cannot grow to their size, and on a small disk if one can be had here.

    Returns:
        A row for each command (name, tries, small disks tried, faults), and the faults.
    """
    chosen = list(names or COMMANDS)
    with tempfile.TemporaryDirectory(prefix="attack-") as folder, ThreadPoolExecutor(workers) as pool:
        inputs = given(Path(folder))
        reports = list(pool.map(lambda name: _one(name, inputs), chosen))
    rows = [[name, *row] for name, (row, _) in zip(chosen, reports, strict=True)]
    return rows, [f"{name}: {fault}" for name, (_, found) in zip(chosen, reports, strict=True) for fault in found]


def _one(name: str, inputs: Mapping[str, Path]) -> tuple[list[str], list[str]]:
    command = COMMANDS[name]
    line = command.line(inputs, command.new)
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="attack-") as held:
        whole = Path(held) / "whole"
        whole.mkdir()
        process = start(line, whole)
        said = process.communicate(timeout=_HANGS)[0]
        if process.returncode:
            return ["0", "0", "1"], [f"fails on a good disk: {said[-500:]}"]
        wanted = contents(whole)
        largest = max((whole / file).stat().st_size for file in wanted)
        for share in _SHARES:
            place = Path(held) / f"{share}"
            place.mkdir()
            limit = int(largest * share)
            faults += [f"files of at most {limit} bytes: {one}" for one in _full(line, place, wanted, limit)]
        disks = 0
        place = Path(held) / "disk"
        place.mkdir()
        size = largest // 2 // 4096 * 4096
        if size and _mount(place, size):
            disks = 1
            try:
                faults += [f"a disk of {size} bytes: {one}" for one in _full(line, place, wanted, None)]
            finally:
                subprocess.run(["umount", "-l", str(place)], check=False)
    print(f"full disk, {name}: {len(faults)} faults", file=sys.stderr)
    return [str(len(_SHARES)), str(disks), str(len(faults))], faults


def _full(line: Sequence[str], place: Path, wanted: Mapping[str, str], limit: int | None) -> list[str]:
    process = start(line, place, limit)
    try:
        said = process.communicate(timeout=_HANGS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return [f"not done after {_HANGS:.0f} s"]
    faults = []
    if process.returncode not in (1, 2):
        faults.append(f"exit {process.returncode}: {said[-300:]}")
    if "Traceback" in said or not said.strip() or said.strip().endswith("stopped"):
        faults.append(f"no words of its own: {said[-500:]!r}")
    for name, value in contents(place).items():
        if value != wanted.get(name) and "remembered" not in name and not name.endswith("run.json"):
            faults.append(f"{name} is there and not whole: {value}")
    if unfinished(place):
        faults.append(f"left {', '.join(unfinished(place))}")
    return faults


def _mount(place: Path, size: int) -> bool:
    if shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
