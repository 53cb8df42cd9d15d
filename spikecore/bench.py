"""Measuring methods: latency, throughput, memory and power, beside a plain NumPy reference in the same run."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from spikecore.adapter import Method
from spikecore.batch import Batch, collate
from spikecore.component import Kind
from spikecore.experiment import RunConfig
from spikecore.memory import peak_of
from spikecore.power import mean_power
from spikecore.runner import compute, moments, results, to_picture
from spikecore.sample import Sample
from spikecore.spikes import Layout, SpikeStream

REFERENCE = "numpy unpackbits + mean of 41 frames"
UNITS = {
    "mean": "ms",
    "median": "ms",
    "p95": "ms",
    "compute": "ms",
    "ratio": "",
    "throughput": "images/s",
    "memory": "MB",
    "parameters": "",
    "macs": "",
    "power": "W",
    "energy": "mJ",
}
HIGHER = {"ratio": True, "throughput": True}


@attrs.frozen
class Timing:
    """What was measured of one method, after a warm-up.

    Args:
        method: Its id and options.
        mean: Mean latency of one image from the recording to the picture, input preparation included, in ms.
        median: Median of the same.
        p95: 95th percentile of the same.
        compute: Median without input preparation: from a batch on the device to the result on the device, in ms.
        ratio: Median of the reference in the same run / median of this: above 1 is faster than the reference.
        throughput: Images per second when every instant is reconstructed in order, as for a video.
        memory: Peak memory of one image above what was in use before, in MB; of the GPU on a CUDA device.
        parameters: Parameters of a learned method, else 0.
        macs: Multiply-accumulates of one image as PyTorch counts them in its own operations, else 0.
        power: Mean power of the GPU while the method runs for at least a second, above idle, in W; None if not told.
        energy: power × median latency, in mJ; None if not told.
    """

    method: str
    mean: float
    median: float
    p95: float
    compute: float
    ratio: float
    throughput: float
    memory: float
    parameters: int
    macs: int
    power: float | None
    energy: float | None


def random_stream(height: int, width: int, length: int, rate: float = 0.3, seed: int = 0) -> SpikeStream:
    """Spikes with no structure: each pixel fires in each frame with about probability `rate` (in steps of 1/8)."""
    random = np.random.default_rng(seed)
    layout = Layout(height, width)
    shape = (length, layout.frame_bytes)
    packed = np.zeros(shape, np.uint8)
    for bit in f"{min(round(rate * 8), 7):03b}"[::-1]:  # ORing a random bit makes p (p + 1) / 2, ANDing one p / 2
        fresh = random.integers(0, 256, shape, np.uint8)
        packed = packed | fresh if bit == "1" else packed & fresh
    return SpikeStream(packed, layout, name=f"{length} random frames of {height}x{width}")


def measure(label: str, method: Method, stream: SpikeStream, run: RunConfig, repeats: int) -> Timing:
    """Time one method on a recording; the reference runs in between."""
    sample = Sample(key=stream.name, spikes=stream)
    piece = sample.around(method.reconstructor.window)
    batch = collate([piece]).to(run.device)

    def image() -> None:
        to_picture(compute(method, [sample.around(method.reconstructor.window)], run)[0], sample, method, run)

    def alone() -> None:
        with torch.inference_mode():
            method.reconstructor.reconstruct(batch)
        if torch.device(run.device).type == "cuda":
            torch.cuda.synchronize(run.device)

    own, reference = _interleaved(image, lambda: _reference(stream), repeats)
    bare, _ = _interleaved(alone, lambda: None, repeats)
    with peak_of(run.device) as peak:
        image()
        memory = peak()
    power = mean_power(run.device, alone)
    return Timing(
        method=label,
        mean=float(own.mean()),
        median=float(np.median(own)),
        p95=float(np.percentile(own, 95)),
        compute=float(np.median(bare)),
        ratio=float(np.median(reference) / np.median(own)),
        throughput=_throughput(sample, method, run, max(repeats, 20)),
        memory=memory,
        parameters=_parameters(method),
        macs=_macs(method, batch),
        power=power,
        energy=None if power is None else power * float(np.median(own)),
    )


def _interleaved(
    first: Callable[[], None], second: Callable[[], None], repeats: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times = np.empty((2, repeats))
    for warm_up in (first, second) * 2:
        warm_up()
    for turn in range(repeats):
        for number, action in enumerate((first, second)):
            began = perf_counter()
            action()
            times[number, turn] = 1000 * (perf_counter() - began)
    return times[0], times[1]


def _reference(stream: SpikeStream) -> None:
    start = max(len(stream) // 2 - 20, 0)
    bits = np.unpackbits(stream.packed[start : start + 41], axis=1, bitorder="little")
    stream.layout.image(bits).mean(axis=0, dtype=np.float32)


def _throughput(sample: Sample, method: Method, run: RunConfig, most: int) -> float:
    wanted = moments(sample, method, run)[:most]
    began = perf_counter()
    made = sum(1 for _ in results(sample, method, wanted, run))
    return made / (perf_counter() - began)


def _parameters(method: Method) -> int:
    if method.component.kind is not Kind.MODEL:
        return 0
    return sum(p.numel() for p in getattr(method.reconstructor, "model").parameters())  # noqa: B009  # the adapter has it


def _macs(method: Method, batch: Batch) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        method.reconstructor.reconstruct(batch)
    return int(counter.get_total_flops()) // 2
