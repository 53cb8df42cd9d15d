"""One training from its first step, or from where it was killed, to its last."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any, cast

import torch

from spikecore import Batch, Interrupted, Observed, RunInfo, TrainResult, TrainRun, UsageError, observed, write_record
from spikecore_plugin_train import randomness
from spikecore_plugin_train.average import Average
from spikecore_plugin_train.bank import Bank
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.data import TrainingSet
from spikecore_plugin_train.group import Group
from spikecore_plugin_train.keeper import Keeper
from spikecore_plugin_train.kept import Kept
from spikecore_plugin_train.loader import Places, batches
from spikecore_plugin_train.observers import logs
from spikecore_plugin_train.order import Order, Share
from spikecore_plugin_train.pictures import write_pictures
from spikecore_plugin_train.progress import Progress
from spikecore_plugin_train.stages import Plan
from spikecore_plugin_train.step import Stepper
from spikecore_plugin_train.validate import Validation

Micros = Iterator[Any]


class Training:
    """All that lives while a model trains.

    Args:
        config: Options of the trainer.
        run: What is trained, on what.
        group: The processes that train together.
        stop: Whether this process was asked to stop.
        trainable: Names of the parameters that the model itself lets train.
    """

    def __init__(
        self, config: LoopConfig, run: TrainRun, group: Group, stop: Callable[[], bool], trainable: frozenset[str]
    ) -> None:
        self.config, self.run, self.group, self.stop = config, run, group, stop
        self.seed = run.seed % 2**63  # seeds of NumPy are not negative
        randomness.seed_process(self.seed, group.rank)
        self.model = cast(Any, run.model)  # a Model is also an nn.Module
        self.model.to(group.device)
        group.spread(list(self.model.state_dict().values()))
        self.order = Order(len(run.source), config.batch, self.seed, group.rank, group.size, config.accumulate)
        self.plans = [Plan(stage, self.model, trainable, self.order.batches) for stage in run.stages]
        self.validation = Validation(run, config)
        kept = Kept(self.model, self.model.network, (name for plan in self.plans for name in plan.multipliers))
        self.average = Average(kept.state(), config.ema)
        self.stepper = Stepper(self.model, run.losses, config, group)
        self.keeper = Keeper(run, config, group, kept, self.average, self.stepper.scaler, self.validation.best)
        self.progress = Progress()
        self.observed = Observed(RunInfo("train", ""), [])
        self.optimiser: torch.optim.Optimizer | None = None

    def fit(self) -> TrainResult:
        """Take all steps that are left."""
        self.progress, held = self.keeper.resume()
        self._refuse_new_lengths()
        if self.config.compile:
            self.model.network.compile()
        if self.group.leads and self.run.recipe:
            write_record(self.run.directory, self.run.recipe)
        with self._observed() as self.observed:
            try:
                for number in range(self.progress.stage, len(self.plans)):
                    self._stage(number, held)
                    held = None
                for path in self.keeper.export("weights", self.progress):
                    self.observed.saved(path)
            finally:
                self.observed.result.update(steps=self.progress.step, scores=self.progress.scores)
        progress = self.progress
        return TrainResult(progress.step, tuple(progress.losses), dict(progress.scores), self.keeper.newest)

    def _refuse_new_lengths(self) -> None:
        for plan, length in zip(self.plans, self.progress.ended, strict=False):
            if length not in (0, plan.steps):
                raise UsageError(
                    f"stage {plan.stage.name!r} ended after {length} steps; its length cannot change any more\n"
                    f"  try: another folder, and run.weights = '{self.run.directory / 'weights.safetensors'}'"
                )

    def _observed(self) -> AbstractContextManager[Observed]:
        """The plugins of the run's host and the logs look on; at one process of many."""
        total = sum(plan.steps for plan in self.plans)
        name = self.run.recipe.get("experiment", {}).get("name") or type(self.model).__name__
        info = RunInfo("train", f"training {name}", total, self.run.recipe, id=self.progress.id)
        if not self.group.leads:
            return observed(None, info)
        return observed(self.run.host, info, logs(self.config, self.run))

    def _stage(self, number: int, held: dict[str, Any] | None) -> None:
        plan, progress = self.plans[number], self.progress
        self.optimiser = plan.optimiser()
        if held is not None and progress.stage_step:
            self.optimiser.load_state_dict(held)
        start = (progress.epoch, progress.batch, plan.steps - progress.stage_step)
        plan.freeze(self.model, progress.stage_step)
        with closing(self._batches(Places(self.order, *start))) as micros:
            for share in self.order.shares(*start):
                stopping = self._step(plan, micros, share)
                over = self._judged(plan, share) or progress.stage_step == plan.steps
                if over:
                    progress.next_stage(plan.steps)
                last = over and number == len(self.plans) - 1
                if stopping or last or progress.step % self.config.checkpoint_every == 0:
                    self._save()
                if stopping:
                    where = f"the checkpoint is in {self.run.directory}"
                    raise Interrupted(f"stopped after step {progress.step}; {where}\n  go on with --resume")
                if over:
                    return
        progress.next_stage(plan.steps)  # the checkpoint was written at the very end of the stage

    def _batches(self, places: Places) -> Generator[Batch, None, None]:
        run, given = self.run, (self.model.window, self.config, self.seed)
        bank = None if run.bank is None else Bank(run.bank, *given)
        return batches(TrainingSet(run.source, *given), places, self.config.workers, self.seed, bank)

    def _step(self, plan: Plan, micros: Micros, share: Share) -> bool:
        """One optimiser step; True if any process was asked to stop."""
        progress, optimiser = self.progress, self.optimiser
        assert optimiser is not None  # made when the stage began
        if plan.changes_at(progress.stage_step):
            plan.freeze(self.model, progress.stage_step)
        current = plan.apply(optimiser, progress.stage_step)
        where = f"stage {plan.stage.name!r}, step {progress.step + 1}"
        parts = ((next(micros), len(micro) / share.size) for micro in share.micros)
        values = self.stepper.take(plan.stage, optimiser, parts, where, self.stop())
        self.average.update(progress.step + 1)
        stopping = values.pop("stop") > 0
        progress.advance(values["loss"], share.last)
        self.observed.step(progress.step, {"lr": current, "stage": progress.stage + 1, **values})
        return stopping

    def _judged(self, plan: Plan, share: Share) -> bool:
        """Validate if it is time to; True if patience is at its end."""
        every, progress = self.config.validate_every, self.progress
        due = progress.step % every == 0 if every else share.last
        if not self.validation.active or not (due or progress.stage_step == plan.steps):
            if share.last:
                self.observed.epoch(share.epoch + 1, {})
            return False
        scores = self._scores()
        best = scores.get(self.validation.best)
        better = progress.judged(scores, best, self.validation.higher)
        self.observed.epoch(share.epoch + 1, scores)
        self.observed.scores(self.validation.recorded(scores, self._method()))
        if better:
            self._save(best=True)
        plan.freeze(self.model, progress.stage_step)  # back from evaluation to training
        return bool(self.config.patience) and progress.stale >= self.config.patience

    def _scores(self) -> dict[str, float]:
        """Scores of the averaged weights; process 0 judges, the others wait for it."""
        values = torch.zeros(len(self.validation.metrics), dtype=torch.float64, device=self.group.device)
        if self.group.leads:
            with randomness.undisturbed(self.group.device), self.average.applied():
                scores, pictures = self.validation.scores(self.stepper)
            values.copy_(torch.tensor(list(scores.values()), dtype=torch.float64))
            folder = self.run.directory / "pictures" / f"step-{self.progress.step:09d}"
            for path in write_pictures(pictures, folder):
                self.observed.saved(path)
        self.group.spread([values])
        return dict(zip(self.validation.metrics, values.tolist(), strict=True))

    def _method(self) -> str:
        """What the scores of this training are recorded under."""
        return str(self.run.recipe.get("experiment", {}).get("model", {}).get("use") or type(self.model).__name__)

    def _save(self, best: bool = False) -> None:
        assert self.optimiser is not None  # made when the stage began
        for path in self.keeper.save(self.progress, self.optimiser, best):
            self.observed.saved(path)
