"""One job over many recordings: each item is done once, by whoever is free, and leaves one atomic result file.

A job is a text (JSON), an item a number, so that both travel to any process or machine that sees the same files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from spikecore.errors import UsageError
from spikecore.experiment import Experiment
from spikecore.host import PluginHost
from spikecore.output import write_text
from spikecore.pool import Outcome, Work, in_processes

Executor: TypeAlias = Callable[[Work, str, Sequence[int]], Iterator[Outcome]]
"""Called as `executor(work, job, items)`; gives the outcome of every item, in any order."""

ACTIONS = {"evaluate": "spikecore.evaluate:evaluate_item", "reconstruct": "spikecore.run:reconstruct_item"}


@attrs.frozen
class Job:
    """What is done to every sample of an experiment's source.

    Args:
        action: "evaluate" or "reconstruct".
        experiment: The resolved experiment.
        fingerprint: Of all that the results depend on; results of another one are not taken for done.
        folder: Where results go: items/NUMBER.json and whatever the action writes.
        cwd: The folder that relative paths of the experiment start from.
    """

    action: str
    experiment: Mapping[str, Any]
    fingerprint: str
    folder: str
    cwd: str

    @classmethod
    def of(cls, action: str, experiment: Experiment, folder: Path) -> Job:
        """The job of an experiment, as its files and the current folder are now."""
        folder = folder.resolve()
        basis = [action, experiment.fingerprint, _versions(experiment), sorted(_files(experiment, folder))]
        fingerprint = sha256(json.dumps(basis).encode()).hexdigest()
        return cls(action, experiment.dump(), fingerprint, str(folder), str(Path.cwd()))

    def path(self, item: int) -> Path:
        """The result file of an item."""
        return Path(self.folder) / "items" / f"{item:06d}.json"

    def done(self, item: int) -> Mapping[str, Any] | None:
        """The result of an item that was done before; None if there is none that can be read and fits."""
        try:
            held: Any = json.loads(self.path(item).read_text(encoding="utf-8"))
            return held["result"] if held["fingerprint"] == self.fingerprint else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _versions(experiment: Experiment) -> list[tuple[str, str, int]]:
    """Plugins in use, their versions, and when their code was last changed: an edited method is done again."""
    packages = {
        b.component.plugin: b.component.target.partition(":")[0].partition(".")[0] for b in experiment.parts.values()
    }
    statuses = experiment.host.statuses
    return sorted((name, statuses[name].version, _changed(package)) for name, package in packages.items())


def _changed(package: str) -> int:
    """Latest change of a package's Python files, in ns; 0 where it has none on disk."""
    spec = find_spec(package)
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return max((file.stat().st_mtime_ns for folder in folders for file in folder.rglob("*.py")), default=0)


def _files(experiment: Experiment, folder: Path) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of the files that the experiment reads: what was made of other ones is not done.

    Items are numbered, so one recording more or fewer in a folder changes what the numbers after it mean.
    """
    configs = [bound.config for bound in experiment.parts.values()]
    options = [value for config in configs for value in attrs.asdict(config, recurse=False).values()]
    weights = [Path(experiment.run.weights)] if experiment.run.weights else []
    for path in [*weights, *(value for value in options if isinstance(value, Path))]:
        for file in filter(Path.is_file, _beneath(path, folder) if path.is_dir() else [path]):
            state = file.stat()
            yield str(file), state.st_size, state.st_mtime_ns


def _beneath(path: Path, folder: Path) -> Iterator[Path]:
    """The files in a folder and its sub-folders, linked ones too, without hidden ones and the results in `folder`."""
    seen = {folder}
    for root, folders, files in os.walk(path, followlinks=True):
        here = Path(root).resolve()
        if here in seen:
            folders.clear()
            continue
        seen.add(here)
        folders[:] = [name for name in folders if name[0] != "."]
        yield from (Path(root, name) for name in files if name[0] != ".")


def perform(job: str, item: int) -> Mapping[str, Any]:
    """Do one item of a job in this process and write its result file. What every executor calls."""
    spec = Job(**json.loads(job))
    import pkgutil

    action = pkgutil.resolve_name(ACTIONS[spec.action])
    with chdir(spec.cwd):
        result: Mapping[str, Any] = action(_experiment(job), item, Path(spec.folder))
    path = spec.path(item)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"fingerprint": spec.fingerprint, "result": result}, indent=1) + "\n")
    return result


@lru_cache(maxsize=1)
def _experiment(job: str) -> Experiment:
    return Experiment.from_dict(Job(**json.loads(job)).experiment, PluginHost.discover())


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
        yield from executor(perform, json.dumps(attrs.asdict(job)), waiting)


def find_executor(host: PluginHost, name: str, workers: int, address: str = "") -> Executor:
    """The executor of that name: "local" is the core's own, others come from plugins.

    Raises:
        UsageError: If no installed plugin offers it.
    """
    if name == "local":
        return lambda work, job, items: in_processes(work, job, items, workers)
    found: Executor | None = host.hook.spikecore_executor(name=name, workers=workers, address=address)
    if found is None:
        raise UsageError(f"no executor {name!r}; 'local' is built in\n  try: pip install spikecore-plugin-{name}")
    return found
