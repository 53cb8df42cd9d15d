"""One process that reads many inputs and says what became of each; its parent watches the clock.

    python worker.py build SEEDS MODULE TARGET …    writes the seeds of targets
    python worker.py read SEEDS MODULE              reads jobs from standard input, one JSON list a line

A job is [target, campaign, first, count]; answers are JSON lines ["begin", number] and ["end", number, verdict, where].
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
os.environ.update(OPENCV_LOG_LEVEL="SILENT", OPENCV_FFMPEG_LOGLEVEL="-8")

SPARE = 4 * 2**30
"""Bytes a reader may take beyond what its libraries have taken."""
MOST = 2**30
"""Growth of the resident memory that is a fault."""


def main() -> None:
    """See the module."""
    _, action, seeds, module, *rest = sys.argv
    targets = import_module(module).TARGETS
    if action == "build":
        for name in rest:
            _build(Path(seeds), name, targets[name])
        return
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libraries print
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    home = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="attack-") as place:
        for line in sys.stdin:
            name, campaign, first, count = json.loads(line)
            reading = Reading(name, targets[name], Path(seeds) / name, Path(place) / name)
            for number in range(first, first + count):
                answers.write(json.dumps(["begin", number]) + "\n")
                answers.write(json.dumps(["end", number, *reading.attempt(campaign, number)]) + "\n")
                os.chdir(home)
            answers.write(json.dumps(["ready", 0]) + "\n")


def _build(seeds: Path, name: str, target: Any) -> None:
    (seeds / name).mkdir(parents=True)
    try:
        target.build(seeds / name)
    except Exception:
        traceback.print_exc()
    else:
        (seeds / f"{name}.made").touch()


class Reading:
    """A target in this process: its seeds were read once, to know their values."""

    def __init__(self, name: str, target: Any, seeds: Path, place: Path) -> None:
        from inputs import Inputs

        self.target, self.place = target, place
        self.inputs = Inputs(name, target, seeds)
        self.good: list[str | None] = [None] * len(self.inputs)
        if not target.exact:
            self.good = [target.use(self.inputs.lay(seed, None, place, True)) for seed in range(len(self.inputs))]

    def attempt(self, campaign: int, number: int) -> tuple[str, str]:
        """The verdict on one input, and where it was reached."""
        one = self.inputs.make(campaign, number)
        path = self.inputs.lay(one.seed, one.data, self.place, self.target.writes)
        resource.setrlimit(resource.RLIMIT_AS, (_statm(0) + SPARE, resource.RLIM_INFINITY))
        before, peak = _statm(1), _peak()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            verdict, where = self._read(path)
        grown = _peak() - before
        if _peak() > peak and grown > MOST:
            return "memory", f"grown: {grown / 2**20:.0f} MB {where}"
        if verdict != "value":
            return verdict, where
        if where in self.good:
            return "same", ""
        if told:
            return "told", ""
        if one.repaired or not self.target.checked:
            return "other", ""
        return "different", f"{self.good[one.seed]} became {where}"

    def _read(self, path: Path) -> tuple[str, str]:
        from spikecore import SpikecoreError

        try:
            return "value", self.target.use(path)
        except BaseException as error:
            if any(isinstance(one, MemoryError) for one in _chain(error)):
                return "memory", _where(error)
            if isinstance(error, SpikecoreError):
                return ("refused", "") if "Traceback" not in str(error) else ("raw", f"traceback in {error}"[:500])
            return "raw", _where(error)


def _chain(error: BaseException) -> list[BaseException]:
    held: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in held:
        held.append(following)
        following = following.__cause__ or following.__context__
    return held


def _where(error: BaseException) -> str:
    """The exception and the last line of the project's own code that it passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if "spikecore" in one.filename and "site-packages" not in one.filename]
    last = (own or frames)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} {last.name}: {error}"[:300]


def _statm(field: int) -> int:
    """Bytes of virtual (0) or resident (1) memory now."""
    return int(Path("/proc/self/statm").read_text().split()[field]) * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
