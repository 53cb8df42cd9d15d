"""The runner: recordings of any length through a method into files, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import attrs

from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.errors import Interrupted, OutputError, SpikecoreError, UsageError
from spikecore.experiment.experiment import Experiment
from spikecore.experiment.run_config import Display
from spikecore.files.atomic import file_name
from spikecore.files.held import held
from spikecore.plugin.bound import sample_of
from spikecore.plugin.run_info import RunInfo
from spikecore.plugin.sink import Sink, Target
from spikecore.runner.ahead import ahead
from spikecore.runner.inputs import inputs_of, recipe_of
from spikecore.runner.labels import labels_of, tell_labels
from spikecore.runner.observed import Observed, observed
from spikecore.runner.picture import INTENSITIES
from spikecore.runner.prepare import prepared_experiment
from spikecore.runner.record import claim, record_path, recorded
from spikecore.runner.stopping import postponed
from spikecore.runner.trust import blamed
from spikecore.sinks.aside import partial_of
from spikecore.sinks.open import open_sink
from spikecore.sinks.png import picture_name
from spikecore.weights.settle import settled


@attrs.frozen
class Summary:
    """What a run did.

    Args:
        outputs: Files or folders that now have their final names.
        results: Number of results written.
        seconds: Time from the first batch to the last.
    """

    outputs: tuple[Path, ...]
    results: int
    seconds: float


def execute(experiment: Experiment, observers: Sequence[object] = ()) -> Summary:
    """Run the source's samples through the method into `run.output`, one file each, in this process.

    A recording that fails does not keep those after it from being done.

    Args:
        experiment: With source, method and `run.output`.
        observers: Objects with observer hooks, for this run besides the host's.

    Raises:
        UsageError: If source, method or output is missing, or the output does not fit.
        SpikecoreError: At the end, if some of several recordings failed, with the reason of each.
        Interrupted: On Ctrl-C, saying what is kept and how to go on.
    """
    started = perf_counter()
    reconstruction = Reconstruction(settled(experiment), observers=observers)
    total = len(reconstruction.samples)
    done: list[Mapping[str, Any]] = []
    failures: list[tuple[int, SpikecoreError]] = []
    for item in range(total):
        try:
            done.append(reconstruction.do(item))
        except Interrupted:
            raise
        except SpikecoreError as error:
            if total == 1:
                raise
            failures.append((item, error))
    outputs = tuple(Path(one["output"]) for one in done)
    if failures:
        raise _incomplete(failures, outputs)
    return Summary(outputs, sum(one["results"] for one in done), perf_counter() - started)


def _incomplete(failures: Sequence[tuple[int, SpikecoreError]], outputs: Sequence[Path]) -> SpikecoreError:
    """One error for all; a request that fits none of the recordings stays a wrong request."""
    kind = UsageError if not outputs and all(isinstance(error, UsageError) for _, error in failures) else SpikecoreError
    listed = [f"  {item}: {error}" for item, error in failures]
    others = f", the others are done: {', '.join(map(str, outputs))}" if outputs else ""
    return kind("\n".join([f"{len(failures)} of {len(failures) + len(outputs)} recordings failed{others}", *listed]))


class Reconstruction:
    """Writes the results of an experiment's method on the samples of its source; see `spikecore.jobs.job.Action`.

    Args:
        experiment: Settled; with source, method and `run.output`.
        folder: Where the job that this is an action of keeps its own files; not used.
        observers: Objects with observer hooks, besides the host's.
    """

    def __init__(self, experiment: Experiment, folder: Path | None = None, observers: Sequence[object] = ()) -> None:
        output = experiment.run.output
        if experiment.method is None or "source" not in experiment.parts or output is None:
            raise UsageError("a run needs [source], [reconstructor] or [model], and run.output")
        self.experiment = experiment
        self.observers = observers
        self.output = Path(output)
        self.inputs = inputs_of(experiment)
        self._of: dict[Path, int] = {}
        self.recipe = recipe_of(experiment, self.output, _written(self.output))
        self.samples = experiment.parts["source"].build()
        self.pipeline = prepared_experiment(experiment)
        with blamed(experiment.parts["source"].component):
            labels_of(self.samples)
        with blamed(self.pipeline.component):
            tell_labels(self.samples, [self.pipeline.model or self.pipeline.method.reconstructor])

    def do(self, item: int) -> Mapping[str, Any]:
        """Reconstruct sample number `item` into a file of its own; gives {"key", "output", "results"}."""
        sample = self.pipeline.seen(sample_of(self.samples, self.experiment.parts["source"].component, item))
        path = self.output if len(self.samples) == 1 else _per_sample(self.output, sample.key)
        self.inputs.refuse(*_written(path))
        if self._of.setdefault(path, item) != item:
            raise OutputError(
                f"{path} is of recording {self._of[path]}, whose key {sample.key!r} number {item} has as well\n"
                "  try: one recording at a time"
            )
        wanted = self.pipeline.instants(sample)
        with postponed() as stop:
            written, results = self._write(sample, wanted, path, stop)
        if stop.is_set():
            raise Interrupted(f"stopped when {written} was complete")
        return {"key": sample.key, "output": str(written), "results": results}

    def _write(self, sample: Sample, wanted: Sequence[float], path: Path, stop: Event) -> tuple[Path, int]:
        pipeline = self.pipeline
        of_frames = pipeline.produces is Data.VIDEO and sample.frames is not None
        count = len(sample.frames) if of_frames else len(wanted)
        title = f"{pipeline.component.id} on {sample.key}"
        with observed(
            self.experiment.host, RunInfo("reconstruct", title, count, self.recipe), self.observers
        ) as running:
            sink = self._sink(sample, path, count)
            try:
                with held(path):
                    if path.is_dir():
                        claim(path, self.recipe, {picture_name(at) for at in wanted})
                    return self._stream(sink, sample, path, wanted, count, running, stop), sink.written
            except KeyboardInterrupt:
                kept = sink.interrupt()
                raise Interrupted(_stopped(running.steps, count, kept, [] if of_frames else wanted)) from None
            except BaseException:
                sink.interrupt()
                raise
            finally:
                running.result["results"] = sink.written

    def _sink(self, sample: Sample, path: Path, count: int) -> Sink:
        pipeline, run = self.pipeline, self.pipeline.run
        attributes = {"recipe": json.dumps(self.recipe), "method": pipeline.component.id, "key": sample.key}
        metres = {"depth_near": run.near, "depth_far": run.far}
        attributes |= {name: f"{value:g}" for name, value in metres.items() if value is not None}
        if pipeline.several(sample) and path.suffix.lower() in ("", ".png"):
            raise UsageError(f"{path}: every instant gives several pictures\n  try: a video, .npy or .h5")
        labels = labels_of(self.samples) if pipeline.produces is Data.LABEL else ()
        target = Target(path, count, run.fps, run.bits, attributes, labels)
        raw = pipeline.produces in INTENSITIES and run.display == Display.RAW
        return open_sink(self.experiment.host, target, pipeline.produces, raw=raw)

    def _stream(
        self,
        sink: Sink,
        sample: Sample,
        output: Path,
        wanted: Sequence[float],
        count: int,
        running: Observed,
        stop: Event,
    ) -> Path:
        pictures = self.pipeline.instant_by_instant(sample, wanted)
        with closing(ahead(pictures, self.pipeline.run.read_ahead)) as made:  # whatever happens, nothing goes on behind
            for done, (at, several) in enumerate(made, 1):
                for picture in several:
                    sink.write(at, picture)
                running.step(done)
                if stop.is_set() and done < count:
                    raise KeyboardInterrupt
        with recorded(output, self.recipe):
            path = sink.commit()
        running.saved(path)
        return path


def _stopped(done: int, count: int, kept: Path | None, wanted: Sequence[float]) -> str:
    where = f"the first {done} are in {kept}" if kept else "nothing was finished"
    follow = f"\n  go on with --start {wanted[done]} --stop {wanted[-1] + 1}" if 0 < done < len(wanted) else ""
    return f"stopped after {done} of {count} results; {where}{follow}"


def _written(output: Path) -> tuple[Path, ...]:
    """The files that a run may write for an output."""
    return output, record_path(output), partial_of(output)


def _per_sample(output: Path, key: str) -> Path:
    name = file_name(key)
    return output.with_name(f"{output.stem}-{name}{output.suffix}") if output.suffix else output / name
