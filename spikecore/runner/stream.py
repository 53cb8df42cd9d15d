"""Instants of a recording through a method: windows, batches, results, as a stream in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch

from spikecore.data.batch import Batch, collate
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample, event_span
from spikecore.data.spikes import SpikeStream
from spikecore.errors import Interrupted, SpikecoreError, UsageError
from spikecore.runner.ahead import ahead
from spikecore.runner.clips import clips, clips_of
from spikecore.runner.method import Method, ModelReconstructor
from spikecore.runner.picture import Array
from spikecore.runner.tiles import Tick, squares
from spikecore.runner.trust import blamed, checked, checked_image

Progress: TypeAlias = Callable[[int, int], bool | None]
"""Called as `progress(pieces done, pieces in all)` after every tile, clip or instant; giving False cancels the run."""

_KEPT = 1024  # frames behind the current instant that stay in memory; methods that look further read them again


def compute(method: Method, samples: Sequence[Sample], progress: Progress | None = None) -> dict[Data, Array]:
    """Results, by kind, of samples that are already cut to the method's window, as one batch; (N, …) on the CPU."""
    tick = _ticker(progress, len(samples) * _tiles(samples[0], method))
    return _reconstruct(method, collate(samples).to(method.run.device), tick)


def _reconstruct(method: Method, batch: Batch, tick: Tick) -> dict[Data, Array]:
    def told() -> None:  # what is done of a batch is done of each of its results
        for _ in range(len(batch)):
            tick()

    with blamed(method.component), torch.inference_mode():
        if isinstance(method.reconstructor, ModelReconstructor):
            return checked(method.reconstructor.reconstruct(batch, told), method, batch)
        found = checked(method.reconstructor.reconstruct(batch), method, batch)
    told()
    return found


def moments(sample: Sample, method: Method) -> Sequence[float]:
    """The instants to reconstruct: `at`, or start..stop by stride, or all that have a window.

    They are spike frames, or microseconds for methods whose window is in those. A sample with camera frames is one
    result, and so are events where the method takes them whole.

    Raises:
        UsageError: If an instant has no window, or instants are asked for where there is one result.
    """
    run, window = method.run, method.window
    in_time = window.unit == "us" and bool(sample.events) and window.length is not None
    if sample.frames is not None or not (sample.spikes is not None or in_time):
        given = {name: getattr(run, name) for name in ("at", "start", "stop", "stride")}
        asked = [f"{name}={value}" for name, value in given.items() if value is not None]
        if asked:
            what = "camera frames" if sample.frames is not None else "events without a window in microseconds"
            raise UsageError(f"{sample.key}: {what} give one result; leave out {', '.join(asked)}")
        return [sample.instant]
    if run.at is not None:
        _refuse(sample, method, run.at)
        return [run.at]
    span = event_span(sample.events) if in_time else range(len(sample.spikes or ()))
    valid = window.valid(len(span), span.start)
    if not valid:
        _refuse(sample, method, span[len(span) // 2] if span else 0)  # raises, saying both lengths
    start = valid.start if run.start is None else run.start
    stop = valid.stop if run.stop is None else min(run.stop, span.stop)
    wanted = range(start, stop, run.stride or (window.length or 1 if in_time else 1))
    if not wanted:
        unit = "microseconds" if in_time else "frames"
        raise UsageError(f"{sample.key}: no instants from {start} to {stop}; the recording has {len(span)} {unit}")
    for at in {wanted[0], wanted[-1]}:
        _refuse(sample, method, at)
    return wanted


def _refuse(sample: Sample, method: Method, at: float) -> None:
    """Raise, saying which instants have a window, if this one has none."""
    window = method.window
    if window.unit == "us":
        window.cut_events(sample.events, at)
    elif sample.spikes is not None:
        window.cut(sample.spikes, at)


def results(
    sample: Sample, method: Method, wanted: Sequence[float], progress: Progress | None = None
) -> Iterator[tuple[float, Array]]:
    """(instant, result of the wanted kind without the batch dimension) for each wanted instant, in order.

    Batches are read ahead. Videos from camera frames come frame by frame, the instant is the number of the frame, as
    soon as no later clip touches it.

    Raises:
        Interrupted: If `progress` cancels.
    """
    if sample.frames is not None and method.produces is Data.VIDEO:
        tick = _ticker(progress, len(clips_of(sample, method.run)) * _tiles(sample, method))
        yield from clips(sample, method, lambda piece: _clip(method, piece, tick))
        return
    session = _session(sample, method) if len(wanted) > 1 else None
    tick = _ticker(progress, len(wanted) * (1 if session is not None else _tiles(sample, method)))
    if session is not None:
        for at in _releasing(sample.spikes, wanted):
            yield at, session(at)
            tick()
        return
    for instants, batch in ahead(_batches(sample, method, wanted), method.run.read_ahead):
        yield from zip(instants, _reconstruct(method, batch, tick)[method.produces], strict=True)


def _clip(method: Method, piece: Sample, tick: Tick) -> Array:
    batch = collate([piece.around(method.window)]).to(method.run.device)
    video: Array = _reconstruct(method, batch, tick)[Data.VIDEO][0]
    return video


def _ticker(progress: Progress | None, total: int) -> Tick:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None and _asked(progress, done, total) is False:
            raise Interrupted(f"cancelled after {done} of {total} pieces")

    return tick


def _asked(progress: Progress, done: int, total: int) -> bool | None:
    """What the caller's function says; what it raises is not the method's fault."""
    try:
        return progress(done, total)
    except SpikecoreError:
        raise
    except Exception as error:
        raise SpikecoreError(f"the progress function failed: {type(error).__name__}: {error}") from error


def _tiles(sample: Sample, method: Method) -> int:
    """How many pieces one result is computed in."""
    run = method.run
    if not run.tile or not isinstance(method.reconstructor, ModelReconstructor):
        return 1
    if sample.spikes is not None:
        height, width = sample.spikes.height, sample.spikes.width
    elif sample.frames is not None:
        height, width = sample.frames.shape[-2:]
    else:
        return 1
    return sum(1 for _ in squares(height, width, run.tile, run.overlap))


def _session(sample: Sample, method: Method) -> Callable[[float], Array] | None:
    """What gives results one after the other faster, or with a state, where the method offers it; else None."""
    offered: Any = getattr(method.reconstructor, "session", None)
    if offered is None:
        return None
    if isinstance(method.reconstructor, ModelReconstructor):
        return _model_session(offered, method.reconstructor, sample, method)
    if method.run.device != "cpu" or sample.spikes is None:
        return None
    size = (sample.spikes.height, sample.spikes.width)
    with blamed(method.component):
        state = offered(sample.spikes)

    def image(at: float) -> Array:
        with blamed(method.component):
            found = np.asarray(state.image(at), np.float32)
        shown: Array = checked_image(found, method, size)[None]
        return shown

    return image


def _model_session(
    offered: Any, adapter: ModelReconstructor, sample: Sample, method: Method
) -> Callable[[float], Array]:
    if method.run.tile:
        raise UsageError(f"{method.component.id} goes through a recording as a whole, not in tiles; use --tile 0")
    with blamed(method.component), torch.inference_mode():
        state = offered(sample)

    def output(at: float) -> Array:
        with blamed(method.component), torch.inference_mode(), adapter.arithmetic():
            found = state.outputs(at)
        like = collate([sample.around(method.window, at)])
        result: Array = checked(found, method, like)[method.produces][0]
        return result

    return output


def _batches(sample: Sample, method: Method, wanted: Sequence[float]) -> Iterator[tuple[list[float], Batch]]:
    run = method.run
    held: list[Sample] = []
    instants: list[float] = []
    for at in _releasing(sample.spikes, wanted):
        piece = sample.around(method.window, at)
        if held and (len(held) == run.batch or _length(held[0]) != _length(piece)):
            yield instants, _touched(held).to(run.device)
            held, instants = [], []
        held.append(piece)
        instants.append(at)
    yield instants, _touched(held).to(run.device)


def _releasing(stream: SpikeStream | None, wanted: Sequence[float]) -> Iterator[float]:
    """The wanted instants; frames of a file that lie far behind them leave the memory again."""
    passed = 0
    for at in wanted:
        yield at
        if stream is not None and at - passed > 2 * _KEPT:
            stream.release(passed, int(at) - _KEPT)
            passed = int(at) - _KEPT


def _length(sample: Sample) -> int:
    return 0 if sample.spikes is None else len(sample.spikes)


def _touched(samples: Sequence[Sample]) -> Batch:
    for sample in samples:
        if sample.spikes is not None and len(sample.spikes) < 4096:
            sample.spikes.packed[
                :, ::4096
            ].max()  # reads the pages of a memory map here, in the thread that reads ahead
    return collate(samples)
