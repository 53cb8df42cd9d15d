"""The runner: recordings of any length through a method into a file, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from spikecore.adapter import Method, prepare
from spikecore.ahead import ahead
from spikecore.batch import Batch, collate
from spikecore.checked import blamed, checked, checked_image
from spikecore.claim import claim
from spikecore.component import Data, Kind
from spikecore.errors import Interrupted, SpikecoreError, UsageError
from spikecore.experiment import Bound, Display, Experiment, RunConfig
from spikecore.host import PluginHost
from spikecore.inputs import describe
from spikecore.observe import RunInfo
from spikecore.output import file_name
from spikecore.record import write_record
from spikecore.sample import Sample
from spikecore.sinks import Target, open_sink
from spikecore.spikes import SpikeStream
from spikecore.stopping import postponed

Array = NDArray[Any]
PICTURES = (Data.IMAGE, Data.VIDEO)
_KEPT = 1024  # frames behind the current instant that stay in memory; methods that look further read them again


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


def reconstruct_image(
    host: PluginHost,
    stream: SpikeStream,
    reference: str,
    options: Mapping[str, Any],
    *,
    at: int | None = None,
    gain: float | None = None,
    device: str = "cpu",
    weights: str = "",
) -> NDArray[np.float32]:
    """One image; see `spikecore.reconstruct`."""
    component = host.find(reference, Kind.RECONSTRUCTOR, Kind.MODEL)
    run = RunConfig(gain=gain, device=device, weights=weights)
    method = prepare(host, Bound(component, host.configure(component, options)), run)
    if method.produces is not Data.IMAGE:
        raise UsageError(f"{component.id} produces {method.produces}, not an image; use spikecore.compose(...)")
    sample = Sample(key=stream.name, spikes=stream, at=at)
    return to_picture(compute(method, [sample.around(method.reconstructor.window)], run)[0], sample, method, run)


def compute(method: Method, samples: Sequence[Sample], run: RunConfig) -> Array:
    """Reconstruct samples that are already cut to the method's window, as one batch; (N, …) on the CPU."""
    return _reconstruct(method, collate(samples).to(run.device))


def _reconstruct(method: Method, batch: Batch) -> Array:
    with blamed(method.component), torch.inference_mode():
        result = method.reconstructor.reconstruct(batch)
    return checked(result, method, batch)


def moments(sample: Sample, method: Method, run: RunConfig) -> Sequence[int]:
    """The instants to reconstruct: `at`, or start..stop by stride, or all that have a window.

    Samples with camera frames or events are one result each.
    """
    if sample.spikes is None or sample.frames is not None or sample.events:
        return [sample.instant]
    if run.at is not None:
        return [run.at]
    window, total = method.reconstructor.window, len(sample.spikes)
    valid = window.valid(total)
    if not valid:
        window.cut(sample.spikes, total // 2)  # raises, saying both lengths
    start = valid.start if run.start is None else run.start
    stop = valid.stop if run.stop is None else min(run.stop, total)
    wanted = range(start, stop, run.stride)
    for end in wanted[:1], wanted[-1:]:
        for at in end:
            window.cut(sample.spikes, at)  # raises, saying which instants have a window
    if not wanted:
        raise UsageError(f"{sample.key}: no instants from {start} to {stop}; the recording has {total} frames")
    return wanted


def results(sample: Sample, method: Method, wanted: Sequence[int], run: RunConfig) -> Iterator[tuple[int, Array]]:
    """(instant, result without the batch dimension) for each wanted instant, in order, reading ahead."""
    session = getattr(method.reconstructor, "session", None)
    if session is not None and len(wanted) > 1 and run.device == "cpu":
        yield from _in_session(session, sample, method, wanted)
        return
    for instants, batch in ahead(_batches(sample, method, wanted, run), run.read_ahead):
        yield from zip(instants, _reconstruct(method, batch), strict=True)


def _in_session(session: Any, sample: Sample, method: Method, wanted: Sequence[int]) -> Iterator[tuple[int, Array]]:
    assert sample.spikes is not None  # sessions are on spikes alone
    size = (sample.spikes.height, sample.spikes.width)
    with blamed(method.component):
        state = session(sample.spikes)
    for at in _releasing(sample.spikes, wanted):
        with blamed(method.component):
            image = np.asarray(state.image(at), np.float32)
        yield at, checked_image(image, method, size)[None]


def _batches(
    sample: Sample, method: Method, wanted: Sequence[int], run: RunConfig
) -> Iterator[tuple[list[int], Batch]]:
    held: list[Sample] = []
    instants: list[int] = []
    for at in _releasing(sample.spikes, wanted):
        piece = sample.around(method.reconstructor.window, at)
        if held and (len(held) == run.batch or _length(held[0]) != _length(piece)):
            yield instants, _touched(held).to(run.device)
            held, instants = [], []
        held.append(piece)
        instants.append(at)
    yield instants, _touched(held).to(run.device)


def _releasing(stream: SpikeStream | None, wanted: Sequence[int]) -> Iterator[int]:
    """The wanted instants; frames of a file that lie far behind them leave the memory again."""
    passed = 0
    for at in wanted:
        yield at
        if stream is not None and at - passed > 2 * _KEPT:
            stream.release(passed, at - _KEPT)
            passed = at - _KEPT


def _length(sample: Sample) -> int:
    return 0 if sample.spikes is None else len(sample.spikes)


def _touched(samples: Sequence[Sample]) -> Batch:
    for sample in samples:
        if sample.spikes is not None and len(sample.spikes) < 4096:
            sample.spikes.packed[
                :, ::4096
            ].max()  # reads the pages of a memory map here, in the thread that reads ahead
    return collate(samples)


def to_picture(value: Array, sample: Sample, method: Method, run: RunConfig) -> Array:
    """A result (C, H, W) in spike-rate units as a picture (H, W) or (H, W, C): gain, display, gamma."""
    if method.produces not in PICTURES:
        return value
    picture = np.moveaxis(value, -3, -1)
    picture = (picture[..., 0] if picture.shape[-1] == 1 else picture).astype(np.float32)
    if sample.frames is None:  # a camera's frames are intensities already; only spike rates need a gain
        own = sample.spikes.gain if sample.spikes is not None else None
        picture = picture * np.float32(run.gain or own or 1.0)
    if run.display == Display.RAW:
        return np.asarray(picture)
    if run.display != Display.CLIP:
        ends = (0, 100) if run.display == Display.MINMAX else (1, 99)
        low, high = np.percentile(picture, ends)
        picture = (picture - low) / max(high - low, 1e-12)
    return np.asarray(np.clip(picture, 0, 1) ** np.float32(1 / run.gamma), np.float32)


def execute(experiment: Experiment) -> Summary:
    """Run the source's samples through the method into `run.output`, one file each, in this process.

    A recording that fails does not keep those after it from being done.

    Raises:
        UsageError: If source, method or output is missing, or the output does not fit.
        SpikecoreError: At the end, if some of several recordings failed, with the reason of each.
        Interrupted: On Ctrl-C, saying what is kept and how to go on.
    """
    started = perf_counter()
    total = count_samples(experiment)
    done: list[dict[str, Any]] = []
    failures: list[tuple[int, SpikecoreError]] = []
    for item in range(total):
        try:
            done.append(reconstruct_item(experiment, item))
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


def count_samples(experiment: Experiment) -> int:
    """How many samples the experiment's source has."""
    return len(_opened(experiment)[0])


def reconstruct_item(experiment: Experiment, item: int, folder: Path | None = None) -> dict[str, Any]:
    """Reconstruct sample number `item` into a file named after `run.output`; gives {"key", "output", "results"}."""
    samples, method, recipe = _opened(experiment)
    with blamed(experiment.parts["source"].component):
        sample = samples[item]
    output = Path(experiment.run.output or "")
    path = output if len(samples) == 1 else _per_sample(output, sample.key)
    wanted = moments(sample, method, experiment.run)
    run = attrs.evolve(experiment.run, output=str(path))
    with postponed() as stop:
        written = _write(experiment.host, sample, method, wanted, run, recipe, stop)
        write_record(written, recipe)
    if stop.is_set():
        raise Interrupted(f"stopped when {written} was complete")
    return {"key": sample.key, "output": str(written), "results": len(wanted)}


@lru_cache(maxsize=1)
def _opened(experiment: Experiment) -> tuple[Any, Method, dict[str, Any]]:
    bound, source, output = experiment.method, experiment.parts.get("source"), experiment.run.output
    if bound is None or source is None or output is None:
        raise UsageError("a run needs [source], [reconstructor] or [model], and run.output")
    samples, method = source.build(), prepare(experiment.host, bound, experiment.run)
    weights = {method.component.id: method.weights} if method.weights else None
    return samples, method, describe(experiment, weights, Path(output))


def _per_sample(output: Path, key: str) -> Path:
    name = file_name(key)
    return output.with_name(f"{output.stem}-{name}{output.suffix}") if output.suffix else output / name


def _write(
    host: PluginHost,
    sample: Sample,
    method: Method,
    wanted: Sequence[int],
    run: RunConfig,
    recipe: Mapping[str, Any],
    stop: Event,
) -> Path:
    attributes = {"recipe": json.dumps(recipe), "method": method.component.id, "key": sample.key}
    count = len(sample.frames) if method.produces is Data.VIDEO and sample.frames is not None else len(wanted)
    target = Target(Path(run.output or ""), count, run.fps, run.bits, attributes)
    sink = open_sink(target, pictures=method.produces in PICTURES and run.display != Display.RAW)
    if target.path.is_dir():
        claim(target.path, recipe)
    info = RunInfo("reconstruct", f"{method.component.id} on {sample.key}", len(wanted), recipe)
    host.hook.spikecore_run_start(run=info)
    done, state = 0, "failed"
    try:
        pictures = ((at, to_picture(value, sample, method, run)) for at, value in results(sample, method, wanted, run))
        for at, picture in ahead(pictures, run.read_ahead):
            for part in picture if method.produces is Data.VIDEO else [picture]:
                sink.write(at, part)
            done += 1
            host.hook.spikecore_step_end(run=info, step=done, values={})
            if stop.is_set() and done < len(wanted):
                raise KeyboardInterrupt
        path = sink.commit()
        state = "done"
        host.hook.spikecore_checkpoint_saved(run=info, path=path)
        return path
    except KeyboardInterrupt:
        state = "interrupted"
        done = done if method.produces is Data.VIDEO else sink.written
        kept = sink.interrupt()
        where = f"the first {done} are in {kept}" if kept else "nothing was finished"
        follow = f"\n  go on with --start {wanted[done]} --stop {wanted[-1] + 1}" if 0 < done < len(wanted) else ""
        raise Interrupted(f"stopped after {done} of {len(wanted)} results; {where}{follow}") from None
    except BaseException:
        sink.interrupt()
        raise
    finally:
        host.hook.spikecore_run_end(run=info, result={"state": state, "results": done})
