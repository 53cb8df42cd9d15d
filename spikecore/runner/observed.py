"""The life of a run as its observers see it: one door for whoever trains, evaluates, measures or reconstructs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spikecore.errors import Interrupted
from spikecore.plugin.host import PluginHost
from spikecore.plugin.run_info import RunInfo, Score


class Observed:
    """A run that is being observed; made by `observed`.

    Args:
        info: What observers know of the run.
        hosts: Those whose observers are called.

    Attributes:
        steps: Steps done so far.
        result: Told when the run ends; its "state" (done, failed, interrupted) is filled in where it is not set.
    """

    def __init__(self, info: RunInfo, hosts: Sequence[PluginHost]) -> None:
        self.info = info
        self.steps = 0
        self.result: dict[str, Any] = {}
        self._hosts = hosts

    def step(self, step: int, values: Mapping[str, float] | None = None) -> None:
        """Step number `step` (from 1) is done."""
        self.steps = step
        self._tell("spikecore_step_end", step=step, values=values or {})

    def scores(self, scores: Sequence[Score]) -> None:
        """Values were measured."""
        self._tell("spikecore_scores", scores=scores)

    def epoch(self, epoch: int, scores: Mapping[str, float]) -> None:
        """An epoch, or a validation in the middle of one, has ended."""
        self._tell("spikecore_epoch_end", epoch=epoch, scores=scores)

    def saved(self, path: Path) -> None:
        """A file or folder has its final name."""
        self._tell("spikecore_checkpoint_saved", path=path)

    def _tell(self, hook: str, **arguments: Any) -> None:
        for host in self._hosts:
            getattr(host.hook, hook)(run=self.info, **arguments)


@contextmanager
def observed(host: PluginHost | None, info: RunInfo, observers: Sequence[object] = ()) -> Iterator[Observed]:
    """Carry a run from its start to its end, also after an error or Ctrl-C.

    Args:
        host: Whose plugins observe; nobody's if None.
        info: What they are told of the run.
        observers: Objects with observer hooks (`spikecore.hookimpl`) for this run alone.

    Yields:
        What tells them about steps, scores and files.
    """
    hosts = [] if host is None else [host]
    if observers:
        hosts.append(PluginHost())
        for number, observer in enumerate(observers):
            hosts[-1].watch(observer, f"observer {number}")
    run = Observed(info, hosts)
    state = "failed"
    try:
        run._tell("spikecore_run_start")
        yield run
        state = "done"
    except (Interrupted, KeyboardInterrupt):
        state = "interrupted"
        raise
    finally:
        run._tell("spikecore_run_end", result={"state": state, **run.result})
