"""What every trainer promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from spikecore.errors import SpikecoreError
from spikecore.plugin.component import Component, Kind, PluginInfo
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.plugin.interfaces import Stage, Trainer, TrainResult, TrainRun
from spikecore.plugin.run_info import RunInfo
from spikecore.testing.contract import ComponentContract
from spikecore.testing.tiny import Killed, TinyLoss, TinyMetric, TinyModel, TinySource

_LOSS, _METRIC = "tiny/l2", "tiny/mae"
_ADAM = {"use": "adam", "lr": 0.05}


class Witness:
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.started: list[RunInfo] = []
        self.steps: list[int] = []
        self.saved: list[Path] = []
        self.ended: list[Mapping[str, object]] = []

    @hookimpl
    def spikecore_info(self) -> PluginInfo:
        """See `spikecore.plugin.hookspecs`."""
        return PluginInfo("notes what observers are told")

    @hookimpl
    def spikecore_run_start(self, run: RunInfo) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self.started.append(run)

    @hookimpl
    def spikecore_step_end(self, step: int) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self.steps.append(step)

    @hookimpl
    def spikecore_checkpoint_saved(self, path: Path) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self.saved.append(path)

    @hookimpl
    def spikecore_run_end(self, result: Mapping[str, object]) -> None:
        """See `spikecore.plugin.hookspecs`."""
        self.ended.append(result)


class TrainerContract(ComponentContract):
    """Tests for a trainer, on a task that any optimiser solves: one weight and one bias, eight samples.

    Attributes:
        checkpoint_every: Steps between two checkpoints under `options`; at most 6, so that one falls inside a stage.
    """

    kind: ClassVar[Kind] = Kind.TRAINER
    checkpoint_every: ClassVar[int] = 6
    stages: ClassVar[Sequence[Stage]] = (
        Stage("first", steps=16, losses={_LOSS: 1.0}, optimiser=_ADAM),
        Stage("second", steps=8, losses={_LOSS: 0.5}, optimiser=_ADAM),
    )

    def fit(self, trainer: Trainer, directory: Path, **changes: Any) -> TrainResult:
        """Train the tiny model, with fields of the `TrainRun` changed."""
        run: dict[str, Any] = {
            "model": TinyModel(),
            "source": TinySource(),
            "losses": {_LOSS: TinyLoss()},
            "stages": self.stages,
            "directory": directory,
            "host": PluginHost(),
        }
        return trainer.fit(TrainRun(**{**run, **changes}))

    def test_loss_falls(self, built: Trainer, tmp_path: Path) -> None:
        """On the easy task, the last losses are less than half the first ones.

        If this fails: see that gradients are zeroed, the optimiser holds the model's parameters and steps.
        """
        losses = self.fit(built, tmp_path / "run", stages=self.stages[:1]).losses
        first, last = float(np.mean(losses[:4])), float(np.mean(losses[-4:]))
        assert last < first / 2, f"the loss went from {first:g} to {last:g}"

    def test_takes_the_stated_steps(self, built: Trainer, tmp_path: Path) -> None:
        """It takes as many optimiser steps as the stages say together, and reports the loss of each.

        If this fails: `Stage.steps` counts optimiser steps, not epochs; go round the data as often as needed.
        """
        result = self.fit(built, tmp_path / "run")
        assert result.steps == 24, f"took {result.steps} steps, expected 16 + 8"
        assert len(result.losses) == 24, f"reports {len(result.losses)} losses"

    def test_epochs_see_every_sample(self, built: Trainer, tmp_path: Path) -> None:
        """In a stage of two epochs, each sample is seen twice.

        If this fails: keep the last, smaller batch; shuffle without replacement.
        """
        loss = TinyLoss()
        stage = Stage("epochs", epochs=2, losses={_LOSS: 1.0}, optimiser=_ADAM)
        self.fit(built, tmp_path / "run", stages=[stage], losses={_LOSS: loss})
        seen = sorted(key for keys in loss.keys for key in keys)
        assert seen == sorted(2 * [f"item-{number}" for number in range(8)]), f"saw {seen}"

    def test_trains_only_what_the_stage_names(self, built: Trainer, tmp_path: Path) -> None:
        """Parameters that match no pattern of `trains` stay as they are; the others learn.

        If this fails: give the optimiser only the parameters whose names match a pattern.
        """
        model = TinyModel()
        before = {name: one.clone() for name, one in model.named_parameters()}
        stage = Stage("bias", steps=6, losses={_LOSS: 1.0}, optimiser=_ADAM, trains={"*bias": 1.0})
        self.fit(built, tmp_path / "run", model=model, stages=[stage])
        after = dict(model.named_parameters())
        changed = [name for name, value in before.items() if not torch.equal(value, after[name])]
        assert changed == ["network.bias"], f"a stage that trains '*bias' changed {changed}"

    def test_same_seed_gives_same_numbers(self, built: Trainer, tmp_path: Path) -> None:
        """Two runs under one seed give the same losses, whatever the state of the global random generators.

        If this fails: seed the order of samples, workers and augmentations from `run.seed`.
        """
        losses = []
        for number in range(2):
            torch.manual_seed(number)
            np.random.seed(number)  # the global generator is what a trainer must not depend on
            losses.append(list(self.fit(built, tmp_path / str(number), seed=5).losses))
        assert losses[0] == pytest.approx(losses[1], rel=1e-6), "the losses differ"

    def test_leaves_a_checkpoint(self, built: Trainer, tmp_path: Path) -> None:
        """The newest checkpoint is a file in the run's directory.

        If this fails: save after the last step, and return its path in `TrainResult.checkpoint`.
        """
        checkpoint = self.fit(built, tmp_path / "run").checkpoint
        assert checkpoint is not None, "no checkpoint"
        assert checkpoint.is_file(), f"{checkpoint} is not a file"
        assert checkpoint.is_relative_to(tmp_path / "run"), f"{checkpoint} is not in the run's directory"

    def test_resumes_where_it_was_killed(self, built: Trainer, tmp_path: Path) -> None:
        """Killed in the second stage and resumed, it repeats at most one checkpoint interval and ends at equal weights.

        If this fails: a checkpoint holds model, optimiser, schedule, stage, step and random state, and is renamed into
        place when complete; state `checkpoint_every` and the option behind it in `options`.
        """
        whole, resumed, loss = TinyModel(), TinyModel(seed=1), TinyLoss()
        self.fit(built, tmp_path / "whole", model=whole)
        with pytest.raises(Killed):
            self.fit(built, tmp_path / "killed", losses={_LOSS: TinyLoss(kill_at=21)})
        result = self.fit(built, tmp_path / "killed", model=resumed, losses={_LOSS: loss}, resume="auto")
        assert result.steps == 24, f"reports {result.steps} steps in all, expected 24"
        assert len(loss.keys) <= 4 + self.checkpoint_every, f"{len(loss.keys)} steps after the restart, 4 were left"
        for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
            assert torch.allclose(one, other, atol=1e-5), "the weights differ from those of a run in one piece"

    def test_never_overwrites_a_run(self, built: Trainer, tmp_path: Path) -> None:
        """With `resume="never"`, a directory that holds a checkpoint is refused.

        If this fails: raise `UsageError` that names the directory, before anything is written.
        """
        self.fit(built, tmp_path / "run")
        with pytest.raises(SpikecoreError, match="run"):
            self.fit(built, tmp_path / "run", resume="never")

    def test_scores_the_validation_samples(self, built: Trainer, tmp_path: Path) -> None:
        """Validation samples are scored by every metric, under its id.

        If this fails: at the end, run `metric.update(output[kind], batch.target[kind])` over `run.validation`.
        """
        result = self.fit(built, tmp_path / "run", validation=TinySource(3), metrics={_METRIC: TinyMetric()})
        assert set(result.scores) == {_METRIC}, f"scores of {sorted(result.scores)}"
        assert 0 <= result.scores[_METRIC] < 1, f"a mean absolute error of {result.scores[_METRIC]}"

    def test_tells_observers(self, built: Trainer, entry: Component, tmp_path: Path) -> None:
        """Observers hear of the start, every step, every checkpoint, and the end.

        If this fails: train inside `with spikecore.observed(run.host, RunInfo("train", …)) as running:` and call
        `running.step(…)` after every step, `running.saved(…)` after every checkpoint.
        """
        witness, host = Witness(), PluginHost()
        host.register(witness, "witness")
        self.fit(built, tmp_path / "run", host=host)
        assert [run.kind for run in witness.started] == ["train"], f"heard of {len(witness.started)} starts"
        assert witness.steps == list(range(1, 25)), f"heard of steps {witness.steps}"
        assert witness.saved, "heard of no checkpoint"
        assert [result["state"] for result in witness.ended] == ["done"], f"heard of the ends {witness.ended}"
