"""From an experiment to a trainer and what it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import attrs
import torch

from spikecore import Bound, Experiment, Loss, Model, Stage, Trainer, TrainRun, UsageError, load_model, record
from spikecore.files.inputs import Inputs

LOOP = "train/loop"


def assemble(
    experiment: Experiment, directory: Path, resume: Literal["auto", "never"] = "never"
) -> tuple[Trainer, TrainRun]:
    """Build the components of an experiment.

    Without [[stage]] the model's own recipe is used; without [trainer], `train/loop`. `run.weights` names weights to
    start from; else the model's are drawn under the experiment's seed.

    Raises:
        UsageError: If source or model is missing, or what is read would be written over.
        UnknownComponent: If a loss that a stage names is not installed.
    """
    source, bound = experiment.parts.get("source"), experiment.parts.get("model")
    if source is None or bound is None:
        raise UsageError("a training needs [source] and [model]")
    _refuse_inputs(experiment, directory)
    validation, bank = experiment.parts.get("validation"), experiment.parts.get("bank")
    torch.manual_seed(experiment.seed)
    started = load_model(experiment.host, bound, experiment.run.weights) if experiment.run.weights else None
    model: Model = started.model if started else bound.build()
    trained = (started.bound if started else bound).fixed()
    experiment = attrs.evolve(experiment, parts={**experiment.parts, "model": trained})
    stages = experiment.stages or tuple(model.stages())
    run = TrainRun(
        model=model,
        source=source.build(),
        validation=None if validation is None else validation.build(),
        bank=None if bank is None else bank.build(),
        losses=losses_of(experiment, stages),
        metrics={metric.label: metric.build() for metric in experiment.many("metric")},
        stages=stages,
        directory=directory,
        seed=experiment.seed,
        resume=resume,
        host=experiment.host,
        recipe=record(attrs.evolve(experiment, stages=stages)),
    )
    return trainer_of(experiment).build(), run


def _refuse_inputs(experiment: Experiment, directory: Path) -> None:
    read = [Path(experiment.run.weights)] if experiment.run.weights else []
    for bound in experiment.parts.values():
        read += [value for value in attrs.asdict(bound.config, recurse=False).values() if isinstance(value, Path)]
    names = ["", "log.csv", "pictures"]
    names += [f"{name}{suffix}" for name in ("weights", "best") for suffix in (".safetensors", ".json")]
    Inputs(read).refuse(*(directory / name for name in names))


def losses_of(experiment: Experiment, stages: tuple[Stage, ...]) -> dict[str, Loss]:
    """Every loss that the stages name, built with the options that [[loss]] gives it."""
    references = dict.fromkeys(reference for stage in stages for reference in stage.losses)
    return {reference: experiment.loss(reference).build() for reference in references}


def trainer_of(experiment: Experiment) -> Bound:
    """The experiment's trainer, `train/loop` with its defaults if it states none."""
    stated = experiment.parts.get("trainer")
    if stated is not None:
        return stated
    component = experiment.host.find(LOOP, "trainer")
    return Bound(component, experiment.host.configure(component, {}))
