"""An evaluation that leaves a folder: recording by recording, on any executor, going on where it was stopped.

The README says what the folder holds; `LAYOUT` is the version of that, to be raised when it changes for a reader.
"""

from __future__ import annotations

from pathlib import Path

from spikecore import (
    Executor,
    Experiment,
    Interrupted,
    Job,
    OutputError,
    RunInfo,
    Score,
    observed,
    recipe_of,
    run_job,
    settled,
    write_record,
)
from spikecore.cli.tables import FORMATS
from spikecore.files.atomic import write_text
from spikecore_plugin_evaluate.judgement import Judgement
from spikecore_plugin_evaluate.summary import summarise, table

LAYOUT = "spikecore evaluation 1"
ACTION = "spikecore_plugin_evaluate.evaluation:Evaluation"


def evaluate_into(folder: Path, experiment: Experiment, executor: Executor) -> list[Judgement]:
    """Judge every sample of an experiment's source, while observers look on.

    Args:
        folder: Made if need be. What is done in there is kept.
        experiment: With source, methods and metrics.
        executor: Who does the work.

    Returns:
        What became of each sample, in their order.

    Raises:
        UsageError: If something is missing, before anything is written.
        OutputError: If the folder cannot be written.
        Interrupted: On Ctrl-C, saying what is kept.
    """
    experiment = settled(experiment)
    recipe = recipe_of(experiment, folder) | {"layout": LAYOUT}
    job = Job.of(ACTION, experiment, recipe, folder)
    total = len(job.items)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be a folder for results: {error.strerror}; give -o FOLDER") from error
    write_record(folder, recipe)
    held: dict[int, Judgement] = {}
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
        for path in [*_write(scores, folder), *(Path(one.output) for one in judged if one.output)]:
            run.saved(path)
        if all(score.value is None for score in scores):
            run.result["state"] = "failed"
    return judged


def _write(scores: list[Score], folder: Path) -> list[Path]:
    """Write the tables; returns those that other programs read."""
    for suffix, write in FORMATS.items():
        write_text(folder / f"means{suffix}", write(*table(scores, each=False)))
        write_text(folder / f"scores{suffix}", write(*table(scores, means=False)))
    return [folder / "means.csv", folder / "scores.csv"]
