"""Commands that are killed or stopped at any moment: what is there then is whole, belongs together, and goes on."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from time import perf_counter, sleep

import attrs
import numpy as np
from commands import COMMANDS, Command, contents, given, start, unfinished
from numpy.random import Generator

_PATIENCE = 5.0
"""Seconds in which a command that is asked to stop has to end, and half of those that it takes."""
_HANGS = 300.0


@attrs.frozen
class Known:
    """What a command writes when nobody disturbs it.

    Args:
        old: Values of the files of an earlier run with other options, by name; empty where there is none.
        new: Values after this run over it.
        writing: Seconds from the first to the last change of a file.
        seconds: Seconds it took.
    """

    old: Mapping[str, str]
    new: Mapping[str, str]
    writing: float
    seconds: float


def attack(kills: int, workers: int, seed: int, names: Sequence[str] = ()) -> tuple[list[list[str]], list[str]]:
    """Stop commands `kills` times by SIGKILL, and half as often by SIGINT and SIGTERM.

    Returns:
        A row for each command (name, killed, stopped, written whole nevertheless, faults), and the faults.
    """
    chosen = list(names or COMMANDS)
    with tempfile.TemporaryDirectory(prefix="attack-") as folder, ThreadPoolExecutor(workers) as pool:
        inputs = given(Path(folder))
        tried = [kills // len(chosen) + (rank < kills % len(chosen)) for rank in range(len(chosen))]
        reports = pool.map(lambda name, count: _one(name, count, inputs, seed), chosen, tried)
        rows, faults = [], []
        for name, (row, found) in zip(chosen, reports, strict=True):
            rows.append([name, *row])
            faults += [f"{name}: {fault}" for fault in found]
    return rows, faults


def _one(name: str, count: int, inputs: Mapping[str, Path], seed: int) -> tuple[list[str], list[str]]:
    command = COMMANDS[name]
    random = np.random.default_rng([seed, len(name), count])
    with tempfile.TemporaryDirectory(prefix="attack-") as held:
        place = Path(held)
        try:
            known = _undisturbed(command, inputs, place)
        except ValueError as error:
            return ["0", "0", "0", "1"], [str(error)]
        faults, whole = [], 0
        signals = [signal.SIGKILL] * count + [signal.SIGINT, signal.SIGTERM] * -(-count // 8)
        for sent in signals:
            found = _stopped(command, inputs, place, known, sent, random)
            whole += found is None
            faults += found or []
    print(f"stopped, {name}: {len(faults)} faults", file=sys.stderr)
    return [str(count), str(len(signals) - count), str(whole), str(len(faults))], faults


def _undisturbed(command: Command, inputs: Mapping[str, Path], place: Path) -> Known:
    template = place / "old"
    template.mkdir()
    if command.old is not None:
        _complete(command.line(inputs, command.old), template)
    work = _lay(place)
    began = perf_counter()
    process = start(command.line(inputs, command.new), work)
    _until_written(process, work)
    first = last = perf_counter()
    while process.poll() is None:
        _until_written(process, work)
        last = perf_counter() if process.poll() is None else last
    said = process.communicate(timeout=_HANGS)[0]
    seconds = perf_counter() - began
    if process.returncode:
        raise ValueError(f"fails undisturbed: {said[-500:]}")
    return Known(contents(template), contents(work), last - first, seconds)


def _until_written(process: Popen[str], folder: Path) -> None:
    """Wait until a file appears or changes, a half-written one included, or the process ends."""
    known = _stamps(folder)
    while process.poll() is None and _stamps(folder) == known:
        sleep(0.002)


def _stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    found = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # it may be gone
            found[path] = (path.stat().st_mtime_ns, path.stat().st_size)
    return found


def _lay(place: Path) -> Path:
    work = place / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(place / "old", work)
    return work


def _complete(line: Sequence[str], folder: Path) -> None:
    process = start(line, folder)
    said = process.communicate(timeout=_HANGS)[0]
    if process.returncode:
        raise ValueError(f"{' '.join(line[2:])} fails with {process.returncode}: {said[-500:]}")


def _stopped(
    command: Command, inputs: Mapping[str, Path], place: Path, known: Known, sent: int, random: Generator
) -> list[str] | None:
    """The faults of one disturbed run; None if it was through before."""
    work = _lay(place)
    process = start(command.line(inputs, command.new), work)
    gentle = sent != signal.SIGKILL
    if random.random() < 0.4 and not gentle:
        moment = random.uniform(0, known.seconds)
    else:  # while it writes, which may be a small part of the time it takes
        _until_written(process, work)
        moment = random.uniform(0, known.writing + 0.02)
    try:
        process.wait(moment)
    except TimeoutExpired:
        process.send_signal(sent)
    else:
        process.communicate()
        return None
    when = f"{signal.Signals(sent).name} after {moment:.2f} s"
    faults = []
    patience = _PATIENCE + known.seconds / 2
    try:
        said = process.communicate(timeout=patience)[0]
    except TimeoutExpired:
        process.kill()
        said = process.communicate()[0]
        faults.append(f"{when}: still there {patience:.0f} s later")
    if gentle and process.returncode == -sent and contents(work) == known.new:  # it was on its way out
        return None
    if gentle and process.returncode not in (0, 130):
        faults.append(f"{when}: exit {process.returncode}: {said[-300:]}")
    if "Traceback" in said:
        faults.append(f"{when}: {said[-500:]}")
    faults += [f"{when}: {fault}" for fault in _wrong(command, known, work, gentle)]
    if command.apart and contents(work) == known.new:  # some want a new place, and all is done
        return faults
    return faults + [f"{when}, then again: {fault}" for fault in _again(command, inputs, known, work)]


def _wrong(command: Command, known: Known, work: Path, gentle: bool) -> list[str]:
    """What is not as a stop may leave it."""
    found = contents(work)
    faults = [f"{name} is neither the old nor the new file: {value}" for name, value in found.items()
              if value not in (known.old.get(name), known.new.get(name)) and _final(command, name)]  # fmt: skip
    differ = [name for name in found if known.old.get(name) != known.new.get(name) and "remembered" not in name]
    olds = [name for name in differ if found[name] == known.old.get(name)]
    news = [name for name in differ if found[name] == known.new.get(name)]
    if olds and news and not command.apart:
        faults.append(f"old {', '.join(olds)} beside new {', '.join(news)}")
    if gentle and unfinished(work):
        faults.append(f"left {', '.join(unfinished(work))}")
    return faults


def _final(command: Command, name: str) -> bool:
    """Whether a file has the same value whenever the command is done; a record may say that a run was stopped."""
    return not (command.apart and name.endswith(("run.json", "manifest.json", "means.md")))


def _again(command: Command, inputs: Mapping[str, Path], known: Known, work: Path) -> list[str]:
    """The same command goes through, and all is as if nothing had happened."""
    try:
        _complete(command.line(inputs, command.new), work)
    except ValueError as error:
        return [str(error)]
    except TimeoutExpired:
        return [f"not done after {_HANGS:.0f} s"]
    found = contents(work)
    faults = [f"{name} is {found.get(name)}, not as of an undisturbed run"
              for name in known.new if found.get(name) != known.new[name]]  # fmt: skip
    if unfinished(work):
        faults.append(f"{', '.join(unfinished(work))} stays")
    return faults
