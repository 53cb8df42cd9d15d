"""Many damaged inputs for many readers, in worker processes whose clock is watched from here."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from queue import Empty, Queue
from threading import Lock, Thread
from time import perf_counter, sleep
from typing import Any

import attrs
from inputs import Inputs

FAULTS = ("raw", "crash", "hang", "memory", "different")
VERDICTS = ("same", "refused", "told", "other", *FAULTS)
HERE = Path(__file__).parent
_PIECE = 250
_START = 180.0
_BUSY = 6
"""How many times slower than alone the machine may be."""
_KEPT = 3
_SHOWN = 12
_TOLD_EVERY = 60.0
_TOLD = 1500


@attrs.define
class Outcome:
    """What became of a target's inputs.

    Args:
        counts: Inputs by verdict.
        slowest: Seconds of the slowest input.
        seconds: Of all inputs, in all workers together.
        faults: Numbers of inputs by (verdict, place).
        examples: What the first of them said.
        broken: Why the target could not be attacked: its good files cannot be made or read.
    """

    counts: Counter[str] = attrs.Factory(Counter)
    slowest: float = 0.0
    seconds: float = 0.0
    faults: dict[tuple[str, str], list[int]] = attrs.Factory(dict)
    examples: dict[tuple[str, str], str] = attrs.Factory(dict)
    broken: str = ""

    @property
    def total(self) -> int:
        """Number of faults."""
        return sum(self.counts[verdict] for verdict in FAULTS) + bool(self.broken)

    def row(self) -> list[str | int]:
        """Its line of the table."""
        speed = self.counts.total() / max(self.seconds, 1e-9)
        verdicts = (self.counts[verdict] for verdict in VERDICTS)
        return [self.counts.total(), *verdicts, f"{self.slowest:.1f}", f"{speed:.0f}"]

    def add(self, number: int, verdict: str, where: str, seconds: float) -> None:
        """Count one input."""
        self.counts[verdict] += 1
        self.slowest = max(self.slowest, seconds)
        self.seconds += seconds
        if verdict in FAULTS:
            key = (verdict, "" if verdict == "different" else where.partition(": ")[0])
            self.examples.setdefault(key, where)
            self.faults.setdefault(key, []).append(number)


@attrs.define
class Campaign:
    """A campaign under way.

    Args:
        module: Where `TARGETS` is.
        seed: Determines every input.
        deadline: Seconds an input may compute; it may wait, for example for other processes, some times as long.
        seeds: Folder of the good files.
        keep: Folder for inputs that show faults, or None.
        outcomes: By target.
        stopped: Ctrl-C ended it; what was done before is in `outcomes`.
    """

    module: str
    seed: int
    deadline: float
    seeds: Path
    keep: Path | None = None
    outcomes: dict[str, Outcome] = attrs.Factory(dict)
    stopped: bool = False
    _jobs: Queue[tuple[str, int, int]] = attrs.Factory(Queue)
    _lock: Lock = attrs.Factory(Lock)

    def run(self, plan: Mapping[str, int], workers: int) -> None:
        """Give every target of `plan` that many inputs."""
        targets = import_module(self.module).TARGETS
        self._build(list(plan))
        exact = {name: len(list((self.seeds / name).iterdir())) for name in plan if targets[name].exact}
        plan = {**plan, **exact}
        pieces = [
            (name, first, min(_PIECE, count - first))
            for name, count in plan.items()
            for first in range(0, count, _PIECE)
        ]
        pieces = [piece for piece in pieces if not self.outcomes[piece[0]].broken]
        pieces.sort(key=lambda piece: piece[1])  # a little of everything first
        for piece in pieces:
            self._jobs.put(piece)
        threads = [Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        try:
            while left := [thread for thread in threads if thread.is_alive()]:
                left[0].join(_TOLD_EVERY)
                done = sum(one.counts.total() for one in self.outcomes.values())
                print(f"{done} of {sum(plan.values())} inputs", file=sys.stderr)
        except KeyboardInterrupt:
            self.stopped = True
        if self.keep is not None:
            for name, outcome in self.outcomes.items():
                if not outcome.broken:
                    self._store(name, targets[name], outcome)

    def _build(self, names: Sequence[str]) -> None:
        """Write the seeds of all targets."""
        command = [sys.executable, str(HERE / "worker.py"), "build", str(self.seeds), self.module, *names]
        done = subprocess.run(command, capture_output=True, text=True, env=environment())
        for name in names:
            self.outcomes[name] = Outcome()
            if not (self.seeds / f"{name}.made").exists():
                self.outcomes[name].broken = (done.stderr or done.stdout)[-_TOLD:] or "the process ended"

    def _serve(self) -> None:
        worker = Worker(self)
        try:
            while True:
                try:
                    name, first, count = self._jobs.get_nowait()
                except Empty:
                    return
                while count > 0 and not self.outcomes[name].broken:
                    done = worker.read(name, first, count)
                    first, count = first + done, count - done
        finally:
            worker.close()

    def note(self, name: str, number: int, verdict: str, where: str, seconds: float) -> None:
        """Count one input; called by several threads."""
        with self._lock:
            self.outcomes[name].add(number, verdict, where, seconds)

    def _store(self, name: str, target: Any, outcome: Outcome) -> None:
        assert self.keep is not None
        inputs = Inputs(name, target, self.seeds / name)
        for rank, ((verdict, _), numbers) in enumerate(sorted(outcome.faults.items())):
            for number in numbers[:_KEPT]:
                one = inputs.make(self.seed, number)
                place = self.keep / f"{name}-{verdict}-{rank}-{number}"
                place.mkdir(parents=True, exist_ok=True)
                inputs.lay(one.seed, one.data, place)


class Worker:
    """A process that reads, restarted where an input ends it or keeps it."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `close`
        self._held = b""

    def read(self, name: str, first: int, count: int) -> int:
        """Read inputs of a target until all are done or one ends the process; returns how many are done."""
        campaign = self.campaign
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(json.dumps([name, campaign.seed, first, count]).encode() + b"\n")
        process.stdin.flush()
        begun, started = None, perf_counter()
        while True:
            answer = self._answer(_START if begun is None else campaign.deadline)
            seconds = perf_counter() - started
            if not isinstance(answer, list):
                self._ended(name, begun, answer, seconds)
                return count if begun is None else begun - first + 1
            kind, number, *verdict = answer
            if kind == "ready":
                return count
            if kind == "begin":
                begun, started = number, perf_counter()
            else:
                campaign.note(name, number, *verdict, seconds)
                if verdict[0] == "memory":  # what it took may not be given back
                    self.stop()
                    return int(number) - first + 1

    def _ended(self, name: str, number: int | None, how: str, seconds: float) -> None:
        process = self._running()
        if how == "hang":
            process.send_signal(signal.SIGUSR1)  # says where it is
            sleep(0.5)
        self.stop()
        where = self._place()
        if how == "crash":
            code = process.returncode
            where = f"{signal.Signals(-code).name if code < 0 else f'exit {code}'} {where}"
        if number is None:
            self.campaign.outcomes[name].broken = f"{how}: {self._said()[-_TOLD:]}"
            return
        self.campaign.note(name, number, how, where, seconds)

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            command = [sys.executable, str(HERE / "worker.py"), "read", str(self.campaign.seeds), self.campaign.module]
            self._held = b""
            self._log.truncate(0)
            self._log.seek(0)
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env=environment()
            )
        return self.process

    def _answer(self, deadline: float) -> list[Any] | str:
        """The next line; "hang" where none comes, "crash" where the process is gone."""
        assert self.process is not None
        assert self.process.stdout is not None
        pipe = self.process.stdout.fileno()
        began, used = perf_counter(), self._used()
        while b"\n" not in self._held:
            if not select.select([pipe], [], [], deadline / 10)[0]:
                if self._used() - used >= deadline or perf_counter() - began >= _BUSY * deadline:
                    return "hang"
                continue
            more = os.read(pipe, 65536)
            if not more:
                return "crash"
            self._held += more
        line, _, self._held = self._held.partition(b"\n")
        return list(json.loads(line))

    def _used(self) -> float:
        """Seconds that the process has computed: on a busy machine the clock says little."""
        assert self.process is not None
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _place(self) -> str:
        """The innermost line of the project's own code in what the process said last."""
        lines = [line.strip() for line in self._said().splitlines() if 'File "' in line]
        own = [line for line in lines if "spikecore" in line and "site-packages" not in line]
        return (own or lines or ["nowhere"])[0].replace('File "', "").rpartition("/")[2]

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def stop(self) -> None:
        """End the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                assert pipe is not None
                pipe.close()
        self.process = None

    def close(self) -> None:
        """End the process and forget what it said."""
        self.stop()
        self._log.close()


def environment() -> dict[str, str]:
    """That of workers, who import what lies here."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}


def table(outcomes: Mapping[str, Outcome]) -> str:
    """What became of the inputs, and every fault by its place."""
    header = ["target", "inputs", *VERDICTS, "slowest s", "inputs/s"]
    rows = [[name, *one.row()] for name, one in outcomes.items()]
    if len(rows) > 1:
        sums = [sum(int(row[column]) for row in rows) for column in range(1, len(VERDICTS) + 2)]
        rows.append(["all", *sums, "", ""])
    return columns([header, *rows]) + "".join(_listed(name, one) for name, one in outcomes.items())


def columns(rows: Sequence[Sequence[Any]]) -> str:
    """Rows under each other, numbers to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(wide) for cell, wide in zip(row[1:], widths[1:], strict=True))]
        )
        for row in texts
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _listed(name: str, outcome: Outcome) -> str:
    found = sorted(outcome.faults.items(), key=lambda item: -len(item[1]))
    lines = [
        f"\n{name}: {key[0]} {len(numbers)} times, e.g. input {numbers[0]}: {outcome.examples[key]}"
        for key, numbers in found[:_SHOWN]
    ]
    more = f"\n{name}: and {len(found) - _SHOWN} other places" if len(found) > _SHOWN else ""
    broken = f"\n{name}: its good files cannot be made or read:\n{outcome.broken}" if outcome.broken else ""
    return broken + "".join(lines) + more
