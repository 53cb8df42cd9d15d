"""A training run in the results store, beside evaluations: `spikecore results`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spikecore import PluginInfo, hookimpl
from spikecore.observe import RunInfo
from spikecore.results import Results, Score
from spikecore.weights import file_hash


class ResultsLog:
    """Records the run, its last validation scores and the weights it wrote; a restarted run is the same run.

    Args:
        higher: Whether more is better, by metric.
        results: The store; the default one if not given.
    """

    def __init__(self, higher: Mapping[str, bool | None], results: Results | None = None) -> None:
        self.higher, self.results = higher, results or Results()
        self._files: list[Path] = []
        self._scores: dict[str, float] = {}

    @hookimpl
    def spikecore_info(self) -> PluginInfo:
        """See `spikecore.hookspecs`."""
        return PluginInfo("training runs in the results store", license="MIT")

    @hookimpl
    def spikecore_run_start(self, run: RunInfo) -> None:
        """See `spikecore.hookspecs`."""
        if run.id not in {known.id for known in self.results.runs("train")}:
            name = str(run.recipe.get("experiment", {}).get("name", run.title))
            self.results.start("train", name, run.recipe, str(run.recipe.get("fingerprint", "")), run.id)

    @hookimpl
    def spikecore_epoch_end(self, scores: Mapping[str, float]) -> None:
        """See `spikecore.hookspecs`."""
        self._scores = dict(scores) or self._scores

    @hookimpl
    def spikecore_checkpoint_saved(self, path: Path) -> None:
        """See `spikecore.hookspecs`."""
        if path.suffix == ".safetensors":
            self._files.append(path)

    @hookimpl
    def spikecore_run_end(self, run: RunInfo, result: Mapping[str, object]) -> None:
        """See `spikecore.hookspecs`."""
        method = str(run.recipe.get("experiment", {}).get("model", {}).get("use", run.title))
        scores = [Score("", method, name, value, "", self.higher.get(name)) for name, value in self._scores.items()]
        self.results.add(run.id, scores)
        for path in dict.fromkeys(self._files):
            self.results.add_artefact(run.id, path.resolve(), file_hash(path))
        self.results.finish(run.id, str(result["state"]))
