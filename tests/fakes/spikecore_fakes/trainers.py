"""Fake trainers: a plain loop, and the same with one fault each."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch

from spikecore import Batch, RunInfo, Stage, TrainResult, TrainRun, UsageError, collate
from spikecore_fakes.config import Loop as Options


class Loop:
    """Right: every stage with Adam, the order of samples drawn from the seed, stage and epoch alone."""

    careful = 1.0

    def __init__(self, config: Options) -> None:
        self.config = config

    def fit(self, run: TrainRun, /) -> TrainResult:
        """See `spikecore.plugin.interfaces.Trainer`."""
        path = self.checkpoint(run)
        state: dict[str, Any] = {"stage": 0, "step": 0, "losses": [], "optimiser": None}
        if path.exists() and run.resume == "auto":
            state = torch.load(path, weights_only=True)
            run.model.load_state_dict(state["model"])
        run.directory.mkdir(parents=True, exist_ok=True)
        info = RunInfo("train", "fake")
        run.host.hook.spikecore_run_start(run=info)
        for number, stage in list(enumerate(run.stages))[state["stage"] :]:
            self.run_stage(run, info, stage, number, state, path)
        run.host.hook.spikecore_run_end(run=info, result={"state": "done"})
        return TrainResult(len(state["losses"]), state["losses"], self.scores(run), path)

    def checkpoint(self, run: TrainRun) -> Path:
        """Where the checkpoint lies; refused where it must not be touched."""
        path = run.directory / "checkpoint.pt"
        if path.exists() and run.resume == "never":
            raise UsageError(f"{run.directory} holds a checkpoint")
        return path

    def run_stage(
        self, run: TrainRun, info: RunInfo, stage: Stage, number: int, state: dict[str, Any], path: Path
    ) -> None:
        """One stage, from the step in `state`."""
        trained = [one for name, one in run.model.named_parameters() if self.trains(stage, name)]
        optimiser = torch.optim.Adam(trained, lr=self.careful * stage.optimiser["lr"])
        if state["optimiser"] is not None:
            optimiser.load_state_dict(state["optimiser"])
        epoch_steps = -(-len(run.source) // self.config.batch)
        steps = stage.steps or stage.epochs * epoch_steps
        while state["step"] < steps:
            epoch, position = divmod(state["step"], epoch_steps)
            order = self.order(run, np.random.default_rng([run.seed, number, epoch]))
            batch = self.batch(run, order[position * self.config.batch : (position + 1) * self.config.batch])
            optimiser.zero_grad()
            total = sum(weight * self.terms(run, name, batch) for name, weight in stage.losses.items())
            total.backward()
            optimiser.step()
            state["losses"].append(total.item())
            state["step"] += 1
            self.tell(run, info, len(state["losses"]), total.item())
            if len(state["losses"]) % self.config.checkpoint_every == 0:
                self.save(run, info, state, optimiser, path)
        state.update(stage=number + 1, step=0, optimiser=None)
        self.save(run, info, state, None, path)

    def trains(self, stage: Stage, name: str) -> bool:
        """Whether a stage trains a parameter."""
        return any(fnmatch(name, pattern) for pattern in stage.trains)

    def order(self, run: TrainRun, random: np.random.Generator) -> np.ndarray:
        """The order of samples in an epoch."""
        return random.permutation(len(run.source))

    def batch(self, run: TrainRun, numbers: np.ndarray) -> Batch:
        """Samples of these numbers."""
        return collate([run.source[int(n)].around(run.model.window) for n in numbers]).to("cpu")

    def terms(self, run: TrainRun, name: str, batch: Batch) -> torch.Tensor:
        """One loss of one batch."""
        return run.losses[name].forward(run.model(batch), batch).total

    def tell(self, run: TrainRun, info: RunInfo, step: int, loss: float) -> None:
        """Tell observers of a step."""
        run.host.hook.spikecore_step_end(run=info, step=step, values={"loss": loss})

    def save(self, run: TrainRun, info: RunInfo, state: dict[str, Any], optimiser: Any, path: Path) -> None:
        """Write the checkpoint aside, then give it its name."""
        held = {"model": run.model.state_dict(), "optimiser": optimiser and optimiser.state_dict()}
        torch.save({**state, **held}, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)
        run.host.hook.spikecore_checkpoint_saved(run=info, path=path)

    def scores(self, run: TrainRun) -> dict[str, float]:
        """Scores of the validation samples."""
        found = {}
        for name, metric in run.metrics.items():
            batch = self.batch(run, np.arange(len(run.validation)))
            with torch.no_grad():
                metric.update(run.model(batch)["image"], batch.target["image"])
            found[name] = float(metric.compute())
        return found


class TooCareful(Loop):
    """Learns next to nothing."""

    careful = 1e-3


class ReportsTwice(Loop):
    """Reports the last loss twice."""

    def fit(self, run: TrainRun, /) -> TrainResult:
        result = super().fit(run)
        return attrs.evolve(result, losses=[*result.losses, result.losses[-1]])


class WithReplacement(Loop):
    """Draws samples with replacement."""

    def order(self, run: TrainRun, random: np.random.Generator) -> np.ndarray:
        return random.integers(0, len(run.source), len(run.source))


class TrainsAll(Loop):
    """Freezes nothing."""

    def trains(self, stage: Stage, name: str) -> bool:
        return True


class OwnDice(Loop):
    """Starts each epoch at a place drawn from the global generator."""

    first = 0

    def fit(self, run: TrainRun, /) -> TrainResult:
        self.first = np.random.randint(1, len(run.source))
        return super().fit(run)

    def order(self, run: TrainRun, random: np.random.Generator) -> np.ndarray:
        return np.roll(super().order(run, random), self.first)


class NoCheckpoint(Loop):
    """Does not say where its checkpoint is."""

    def fit(self, run: TrainRun, /) -> TrainResult:
        return attrs.evolve(super().fit(run), checkpoint=None)


class StartsOver(Loop):
    """Takes no notice of a checkpoint."""

    def checkpoint(self, run: TrainRun) -> Path:
        path = super().checkpoint(run)
        path.unlink(missing_ok=True)
        return path


class Overwrites(Loop):
    """Goes on where it must not."""

    def checkpoint(self, run: TrainRun) -> Path:
        return run.directory / "checkpoint.pt"


class NoScores(Loop):
    """Leaves validation out."""

    def scores(self, run: TrainRun) -> dict[str, float]:
        return {}


class SaysNothing(Loop):
    """Tells observers nothing of its steps."""

    def tell(self, run: TrainRun, info: RunInfo, step: int, loss: float) -> None:
        """Say nothing."""
