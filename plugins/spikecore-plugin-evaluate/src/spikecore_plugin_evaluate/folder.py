"""An evaluation that leaves a folder: recording by recording, on any executor, going on where it was stopped.

The README says what the folder holds; `LAYOUT` is the version of that, to be raised when it changes for a reader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from spikecore import (
    Executor,
    Experiment,
    Interrupted,
    Job,
    RunInfo,
    Score,
    UsageError,
    observed,
    recipe_of,
    record_path,
    run_job,
    settled,
    write_record,
)
from spikecore.cli.tables import FORMATS
from spikecore.files.atomic import aside, together
from spikecore.files.held import held_folder
from spikecore_plugin_evaluate.judgement import Judgement
from spikecore_plugin_evaluate.summary import summarise, table

LAYOUT = "spikecore evaluation 1"
ACTION = "spikecore_plugin_evaluate.evaluation:Evaluation"
TABLES = [f"{name}{suffix}" for name in ("means", "scores") for suffix in FORMATS]


def evaluate_into(folder: Path, experiment: Experiment, executor: Executor) -> list[Judgement]:
    """Judge every sample of an experiment's source, while observers look on.

    Args:
        folder: Made if need be. What is done in there is kept.
        experiment: With source, methods and metrics.
        executor: Who does the work.

    Returns:
        What became of each sample, in their order.

    Raises:
        UsageError: If something is missing, or the folder is in use or another run's; before anything is written.
        OutputError: If the folder cannot be written.
        Interrupted: On Ctrl-C, saying what is kept.
    """
    experiment = settled(experiment)
    writes = [folder / name for name in ("pictures", "items", *TABLES)]
    recipe = recipe_of(experiment, folder, writes) | {"layout": LAYOUT}
    job = Job.of(ACTION, experiment, recipe, folder)
    len(job.items)  # the source is there
    with held_folder(folder):
        _begin(folder, recipe)
        return _judged(folder, experiment, executor, job, recipe)


def _judged(
    folder: Path, experiment: Experiment, executor: Executor, job: Job, recipe: Mapping[str, Any]
) -> list[Judgement]:
    held: dict[int, Judgement] = {}
    total = len(job.items)
    with observed(experiment.host, RunInfo("evaluate", f"evaluate {experiment.name}", total, recipe)) as run:
        try:
            for outcome in run_job(job, job.items, executor):
                held[outcome.item] = Judgement.of(experiment, outcome)
                run.scores(held[outcome.item].scores)
                run.result["results"] = len(held)
                run.step(len(held))
        except KeyboardInterrupt:
            raise Interrupted(f"{len(held)} of {total} recordings are judged; the same command goes on") from None
        judged = [held[item] for item in sorted(held)]
        scores = [score for one in judged for score in one.scores]
        run.scores(summarise(scores))
        pictures = [Path(one.output) for one in judged if one.output]
        for path in [*_write(scores, folder), *pictures]:
            run.saved(path)
        if all(score.value is None for score in scores):
            run.result["state"] = "failed"
    return judged


def _begin(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Make the folder this evaluation's by its record; tables of another one, which it would contradict, go before.

    Raises:
        UsageError: If something else was run in it.
    """
    path = record_path(folder)
    before: Any = None
    with suppress(OSError, ValueError, RecursionError):
        before = json.loads(path.read_text(encoding="utf-8"))
    if path.exists() and not (isinstance(before, dict) and "layout" in before):
        raise UsageError(f"{folder} holds another run, which is no evaluation\n  try: another folder, -o FOLDER")
    if before is None or _basis(before) != _basis(recipe):
        for name in TABLES:
            (folder / name).unlink(missing_ok=True)
    write_record(folder, recipe)


def _basis(recipe: Mapping[str, Any]) -> Any:
    """What the tables depend on."""
    return json.loads(json.dumps([recipe.get(key) for key in ("experiment", "weights", "inputs")]))


def _write(scores: list[Score], folder: Path) -> list[Path]:
    """Write the tables, all or none; returns those that other programs read."""
    with together(folder / TABLES[0]) as files:
        for name in TABLES:
            path = folder / name
            if path not in files:
                files[path] = aside(path)
            means = name.startswith("means")
            text = FORMATS[path.suffix](*table(scores, each=not means, means=means))
            files[path].write_text(text, encoding="utf-8")
    return [folder / "means.csv", folder / "scores.csv"]


def older_files(folder: Path, judged: Sequence[Judgement]) -> int:
    """How many files in pictures/ and items/ are of another evaluation that was run in the folder before."""
    pictures = {Path(one.output).name for one in judged}
    older = sum(path.name not in pictures for path in folder.glob("pictures/*.png"))
    return older + sum(int(path.stem) >= len(judged) for path in folder.glob("items/[0-9]*.json"))
