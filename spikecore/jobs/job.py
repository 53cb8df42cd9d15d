"""One job over many recordings: each item is done once, by whoever is free, and leaves one atomic result file.

A job can be pickled and an item is a number, so that both travel to any process or machine that sees the same files.
"""

from __future__ import annotations

import json
import os
import pkgutil
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import AbstractContextManager, chdir, nullcontext
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import attrs

from spikecore.errors import UsageError
from spikecore.experiment.experiment import Experiment
from spikecore.files.atomic import write_text
from spikecore.jobs.pool import in_processes
from spikecore.plugin.executor import Do, Executor, Outcome
from spikecore.plugin.host import PluginHost
from spikecore.plugin.known import install_hint
from spikecore.runner.inputs import files
from spikecore.weights.settle import settled


class Action(Protocol):
    """What is done to the items of a job: built once in a process as `Class(experiment, folder)`."""

    @property
    def samples(self) -> Sized:
        """The samples of the source; an item is the number of one."""
        ...

    def do(self, item: int, /) -> Mapping[str, Any]:
        """Do one item; gives plain values."""
        ...


@attrs.frozen
class Job:
    """What is done to every sample of an experiment's source.

    Args:
        target: "package.module:Class" of an `Action`.
        experiment: The resolved experiment.
        fingerprint: Of all that the results depend on; results of another one are not taken for done.
        folder: Where results go: items/NUMBER.json and whatever the action writes.
        cwd: The folder that relative paths of the experiment start from.
        allow: The only plugins that are admitted, see `PluginHost`.
        block: Plugins that are not.
    """

    target: str
    experiment: Mapping[str, Any]
    fingerprint: str
    folder: str
    cwd: str
    allow: list[str] | None = None
    block: list[str] = attrs.field(factory=list)
    _here: Experiment | None = attrs.field(default=None, eq=False, repr=False)

    @classmethod
    def of(cls, target: str, experiment: Experiment, recipe: Mapping[str, Any], folder: Path) -> Job:
        """The job of an experiment, as its files and the current folder are now.

        Args:
            target: "package.module:Class" of an `Action`.
            experiment: Settled, see `spikecore.settled`.
            recipe: Its record, see `spikecore.record`.
            folder: Where results go.
        """
        folder = folder.resolve()
        state = [_versions(experiment), recipe["weights"], sorted(_files(experiment, folder))]
        basis = [target, recipe["fingerprint"], *state]
        fingerprint = sha256(json.dumps(basis).encode()).hexdigest()
        host = experiment.host
        installed = host.statuses.keys()  # of other names the user has heard already
        allow = None if host.allow is None else sorted(host.allow & installed)
        block = sorted(host.block & installed)
        table = recipe["experiment"]
        return cls(target, table, fingerprint, str(folder), str(Path.cwd()), allow, block, experiment)

    @cached_property
    def action(self) -> Action:
        """What does the items in this process; built on first use."""
        with self._at_home():
            experiment = self._here
            if experiment is None:
                host = PluginHost.discover(self.allow, self.block)
                experiment = settled(Experiment.from_dict(self.experiment, host))
            action: Action = pkgutil.resolve_name(self.target)(experiment, Path(self.folder))
        return action

    @property
    def items(self) -> range:
        """The numbers of all items."""
        return range(len(self.action.samples))

    def __call__(self) -> Do:
        """A function that does an item and writes its result file."""
        return self._do

    def _do(self, item: int) -> Mapping[str, Any]:
        with self._at_home():
            result = self.action.do(item)
        path = self.path(item)
        path.parent.mkdir(parents=True, exist_ok=True)
        held = {"fingerprint": self.fingerprint, "sha256": _digest(result), "result": result}
        write_text(path, json.dumps(held, indent=1) + "\n")
        return result

    def _at_home(self) -> AbstractContextManager[None]:
        return nullcontext() if os.getcwd() == self.cwd else chdir(self.cwd)

    def path(self, item: int) -> Path:
        """The result file of an item."""
        return Path(self.folder) / "items" / f"{item:06d}.json"

    def done(self, item: int) -> Mapping[str, Any] | None:
        """The result of an item that was done before; None if there is none that can be read, is whole and fits.

        Nor is an item done if a part of it failed ("failures"), or the file it wrote ("output") is gone.
        """
        try:
            held: Any = json.loads(self.path(item).read_text(encoding="utf-8"))
            result = held["result"]
            output = result.get("output")
            fits = held["fingerprint"] == self.fingerprint and held["sha256"] == _digest(result)
            if not fits or result.get("failures"):
                return None
            return None if output and not Path(self.cwd, output).exists() else result
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the experiment and action of this process: others build theirs from the table."""
        return Job, attrs.astuple(attrs.evolve(self, here=None), recurse=False)


def _digest(result: Mapping[str, Any]) -> str:
    """By which a result that was altered or damaged is known."""
    return sha256(json.dumps(result).encode()).hexdigest()


def _versions(experiment: Experiment) -> list[tuple[str, str, int]]:
    """Plugins in use, their versions, and when their code and the core's changed: what was edited is done again."""
    packages = {
        b.component.plugin: b.component.target.partition(":")[0].partition(".")[0] for b in experiment.parts.values()
    }
    statuses = experiment.host.statuses
    plugins = sorted((name, statuses[name].version, _changed(package)) for name, package in packages.items())
    return [("", "", _changed("spikecore")), *plugins]


def _changed(package: str) -> int:
    """Latest change of a package's Python files, in ns; 0 where it has none on disk."""
    spec = find_spec(package)
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return max((file.stat().st_mtime_ns for folder in folders for file in folder.rglob("*.py")), default=0)


def _files(experiment: Experiment, folder: Path) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of the files that the experiment reads: what was made of other ones is not done.

    Items are numbered, so one recording more or fewer in a folder changes what the numbers after it mean.
    """
    for file in files(experiment, folder):
        state = file.stat()
        yield str(file), state.st_size, state.st_mtime_ns


def run_job(job: Job, items: Sequence[int], executor: Executor) -> Iterator[Outcome]:
    """Outcomes of all items: first those that were done before, then the others as they come."""
    waiting = []
    for item in items:
        held = job.done(item)
        if held is None:
            waiting.append(item)
        else:
            yield Outcome(item, result=held)
    if waiting:
        yield from executor(job, waiting)


def find_executor(host: PluginHost, name: str, workers: int, address: str = "") -> Executor:
    """The executor of that name: "local" is the core's own, others come from plugins.

    Raises:
        UsageError: If no installed plugin offers it.
    """
    if name == "local":
        return lambda work, items: in_processes(work, items, workers)
    found: Executor | None = host.hook.spikecore_executor(name=name, workers=workers, address=address)
    if found is None:
        install = install_hint(executor=name) or "--executor local"
        raise UsageError(f"no executor {name!r}; 'local' is built in\n  try: {install}")
    return found
