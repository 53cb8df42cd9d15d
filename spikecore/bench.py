"""Measuring methods: latency, throughput and memory, beside a plain NumPy reference in the same run."""

from __future__ import annotations

import resource
from collections.abc import Callable
from time import perf_counter

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.adapter import Method
from spikecore.component import Kind
from spikecore.experiment import RunConfig
from spikecore.run import compute, moments, results, to_picture
from spikecore.sample import Sample
from spikecore.spikes import Layout, SpikeStream

REFERENCE = "numpy unpackbits + mean of 41 frames"


@attrs.frozen
class Timing:
    """What was measured of one method.

    Args:
        method: Its id.
        mean: Mean latency of one image, input preparation included, in milliseconds.
        median: Median of the same.
        p95: 95th percentile of the same.
        ratio: Median of the reference in the same run / median of this: above 1 is faster than the reference.
        throughput: Images per second when every instant is reconstructed in order.
        memory: Growth of the process's peak memory meanwhile, in MB.
        parameters: Trainable parameters, 0 for methods without.
    """

    method: str
    mean: float
    median: float
    p95: float
    ratio: float
    throughput: float
    memory: float
    parameters: int


def random_stream(height: int, width: int, length: int, rate: float = 0.3, seed: int = 0) -> SpikeStream:
    """Spikes with no structure: each pixel fires in each frame with about probability `rate` (in steps of 1/8)."""
    random = np.random.default_rng(seed)
    layout = Layout(height, width)
    shape = (length, layout.frame_bytes)
    packed = np.zeros(shape, np.uint8)
    for bit in f"{round(rate * 8) % 8:03b}"[::-1]:  # a random bit of probability p becomes p/2 by AND, (p+1)/2 by OR
        fresh = random.integers(0, 256, shape, np.uint8)
        packed = packed | fresh if bit == "1" else packed & fresh
    return SpikeStream(packed, layout, name=f"{length} random frames of {height}x{width}")


def measure(method: Method, stream: SpikeStream, run: RunConfig, repeats: int) -> Timing:
    """Time one method on a recording; the reference runs in between."""
    before = _peak()
    sample = Sample(key=stream.name, spikes=stream)
    piece = sample.around(method.reconstructor.window)

    def image() -> None:
        to_picture(compute(method, [piece], run)[0], sample, method, run)

    own, reference = _interleaved(image, lambda: _reference(stream), repeats)
    wanted = moments(sample, method, run)[: max(repeats, 20)]
    began = perf_counter()
    made = sum(1 for _ in results(sample, method, wanted, run))
    seconds = perf_counter() - began
    return Timing(
        method=method.component.id,
        mean=float(own.mean()),
        median=float(np.median(own)),
        p95=float(np.percentile(own, 95)),
        ratio=float(np.median(reference) / np.median(own)),
        throughput=made / seconds,
        memory=_peak() - before,
        parameters=_parameters(method),
    )


def _interleaved(
    first: Callable[[], None], second: Callable[[], None], repeats: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times = np.empty((2, repeats))
    for warm_up in (first, second):
        warm_up()
    for turn in range(repeats):
        for number, action in enumerate((first, second)):
            began = perf_counter()
            action()
            times[number, turn] = 1000 * (perf_counter() - began)
    return times[0], times[1]


def _reference(stream: SpikeStream) -> None:
    middle = len(stream) // 2
    start = max(middle - 20, 0)
    bits = np.unpackbits(stream.packed[start : start + 41], axis=1, bitorder="little")
    stream.layout.image(bits).mean(axis=0, dtype=np.float32)


def _parameters(method: Method) -> int:
    if method.component.kind is not Kind.MODEL:
        return 0
    model = getattr(method.reconstructor, "model", None)
    return sum(p.numel() for p in model.parameters()) if model is not None else 0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
