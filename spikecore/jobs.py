"""One job over many recordings: each item is done once, by whoever is free, and leaves one atomic result file.

A job is a text (JSON), an item a number, so that both travel to any process or machine that sees the same files.
"""

from __future__ import annotations

import json
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
from spikecore.inputs import files
from spikecore.output import write_text
from spikecore.pool import Outcome, Work, in_processes
from spikecore.record import used_weights

Executor: TypeAlias = Callable[[Work, str, Sequence[int]], Iterator[Outcome]]
"""Called as `executor(work, job, items)`; gives the outcome of every item, in any order."""

ACTIONS = {"evaluate": "spikecore.evaluation:evaluate_item", "reconstruct": "spikecore.runner:reconstruct_item"}


@attrs.frozen
class Job:
    """What is done to every sample of an experiment's source.

    Args:
        action: "evaluate" or "reconstruct".
        experiment: The resolved experiment.
        fingerprint: Of all that the results depend on; results of another one are not taken for done.
        folder: Where results go: items/NUMBER.json and whatever the action writes.
        cwd: The folder that relative paths of the experiment start from.
        allow: The only plugins that are admitted, see `PluginHost`.
        block: Plugins that are not.
    """

    action: str
    experiment: Mapping[str, Any]
    fingerprint: str
    folder: str
    cwd: str
    allow: list[str] | None = None
    block: list[str] = attrs.field(factory=list)

    @classmethod
    def of(cls, action: str, experiment: Experiment, folder: Path) -> Job:
        """The job of an experiment, as its files and the current folder are now."""
        folder = folder.resolve()
        state = [_versions(experiment), used_weights(experiment), sorted(_files(experiment, folder))]
        basis = [action, experiment.fingerprint, *state]
        fingerprint = sha256(json.dumps(basis).encode()).hexdigest()
        host = experiment.host
        installed = host.statuses.keys()  # of other names the user has heard already
        allow = None if host.allow is None else sorted(host.allow & installed)
        block = sorted(host.block & installed)
        return cls(action, experiment.dump(), fingerprint, str(folder), str(Path.cwd()), allow, block)

    def path(self, item: int) -> Path:
        """The result file of an item."""
        return Path(self.folder) / "items" / f"{item:06d}.json"

    def done(self, item: int) -> Mapping[str, Any] | None:
        """The result of an item that was done before; None if there is none that can be read and fits.

        Nor is an item done if a part of it failed ("failures"), or the file it wrote ("output") is gone.
        """
        try:
            held: Any = json.loads(self.path(item).read_text(encoding="utf-8"))
            result = held["result"]
            output = result.get("output")
            if held["fingerprint"] != self.fingerprint or result.get("failures"):
                return None
            return None if output and not Path(self.cwd, output).exists() else result
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


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
    spec = Job(**json.loads(job))
    return Experiment.from_dict(spec.experiment, PluginHost.discover(spec.allow, spec.block))


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
