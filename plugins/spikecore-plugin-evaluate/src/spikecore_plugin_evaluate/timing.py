"""Measuring methods: latency, throughput, memory and power, beside a plain NumPy reference in the same run."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from spikecore import Batch, Layout, Pipeline, Sample, Score, SpikeStream, collate
from spikecore_plugin_evaluate.memory import peak_of
from spikecore_plugin_evaluate.power import mean_power

HIGHER = ("ratio", "throughput")
REFERENCE = "numpy unpackbits + mean of 41 frames"
NAMES = {
    "mean": "mean ms",
    "median": "median ms",
    "p95": "p95 ms",
    "compute": "compute ms",
    "ratio": "ratio",
    "throughput": "throughput images/s",
    "memory": "memory MB",
    "parameters": "parameters",
    "macs": "macs",
    "power": "power W",
    "energy": "energy mJ",
}
"""What is measured, with its unit; of ratio and throughput the higher is better, of all others the lower."""


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

    def scores(self) -> list[Score]:
        """The same as scores, for observers; they are of no recording of the user's."""
        values = attrs.asdict(self)
        lacking = "the device does not report it"
        return [
            Score("", self.method, title, values[name], lacking if values[name] is None else "", name in HIGHER)
            for name, title in NAMES.items()
        ]


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


def measure(label: str, pipeline: Pipeline, stream: SpikeStream, repeats: int) -> Timing:
    """Time one method on a recording; the reference runs in between."""
    sample, device = Sample(key=stream.name, spikes=stream), pipeline.run.device
    reconstructor = pipeline.method.reconstructor
    batch = collate([pipeline.cut(sample)]).to(device)

    def image() -> None:
        pipeline.outputs(sample)

    def alone() -> None:
        with torch.inference_mode():
            reconstructor.reconstruct(batch)
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)

    own, reference = _interleaved(image, lambda: _reference(stream), repeats)
    bare, _ = _interleaved(alone, lambda: None, repeats)
    with peak_of(device) as peak:
        image()
        memory = peak()
    power = mean_power(device, alone)
    return Timing(
        method=label,
        mean=float(own.mean()),
        median=float(np.median(own)),
        p95=float(np.percentile(own, 95)),
        compute=float(np.median(bare)),
        ratio=float(np.median(reference) / np.median(own)),
        throughput=_throughput(sample, pipeline, max(repeats, 20)),
        memory=memory,
        parameters=_parameters(pipeline),
        macs=_macs(pipeline, batch),
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


def _throughput(sample: Sample, pipeline: Pipeline, most: int) -> float:
    wanted = pipeline.instants(sample)[:most]
    began = perf_counter()
    made = sum(1 for _ in pipeline.stream(sample, wanted))
    return made / (perf_counter() - began)


def _parameters(pipeline: Pipeline) -> int:
    model = pipeline.model
    return 0 if model is None else sum(held.numel() for held in model.parameters())


def _macs(pipeline: Pipeline, batch: Batch) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        pipeline.method.reconstructor.reconstruct(batch)
    return int(counter.get_total_flops()) // 2
