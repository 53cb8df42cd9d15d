"""Steps per second of the engine over a bare PyTorch loop with the same data pipeline, in the same run.

    python plugins/spikecore-plugin-train/tests/benchmark.py [--steps 60] [--rounds 5]

Both train the same small network on the same samples with Adam. They take turns, and the median of the ratios counts.
Both run on one thread and are measured in processor time, so that other programs do not matter. The engine does what it
always does besides: checks for NaN, norm of the gradient, log, hooks. The goal is a ratio of 0.95 or more.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.data import TrainingSet
from spikecore_plugin_train.loader import Places, batches
from spikecore_plugin_train.loop import Loop
from spikecore_plugin_train.order import Order
from torch import nn

from spikecore import LossTerms, PluginHost, PluginInfo, Sample, Stage, TrainRun, Window, hookimpl
from spikecore.testing.data import random_spikes

SAMPLES, SIZE, FRAMES, BATCH = 32, 32, 41, 8


class Clips:
    """Random spikes, made once; the target is their mean."""

    def __init__(self):
        self.samples = [self._sample(index) for index in range(SAMPLES)]

    def _sample(self, index):
        spikes = random_spikes(0.3, FRAMES, (SIZE, SIZE), index)
        return Sample(key=f"clip-{index}", spikes=spikes, target={"image": spikes.counts()[None] / FRAMES})

    def __len__(self):
        return SAMPLES

    def __getitem__(self, index):
        return self.samples[index]


class Small(nn.Module):
    """Three convolutions on 41 frames, 31 thousand parameters."""

    window = Window.centred(FRAMES)

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        layers = [nn.Conv2d(FRAMES, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Conv2d(64, 1, 3, padding=1))

    def forward(self, batch):
        return {"image": self.network(batch.spikes.tensor())}


class L2:
    def forward(self, output, batch):
        total = (output["image"] - batch.target["image"]).square().mean()
        return LossTerms(total, {"l2": total})


class Clock:
    """Notes when steps end, so that setting up and the checkpoint at the end count for neither side."""

    def __init__(self):
        self.times = []

    @hookimpl
    def spikecore_info(self):
        return PluginInfo("clock")

    @hookimpl
    def spikecore_step_end(self):
        self.times.append(time.process_time())


def engine(source, config, steps):
    """Seconds of a step, from the end of the first."""
    clock, host = Clock(), PluginHost()
    host.register(clock, "clock")
    stage = Stage("one", steps=steps, losses={"l2": 1.0}, optimiser={"use": "adam", "lr": 1e-3})
    with tempfile.TemporaryDirectory() as folder:
        run = TrainRun(
            model=Small(), source=source, losses={"l2": L2()}, stages=[stage], directory=Path(folder), host=host
        )
        Loop(config).fit(run)
    return (clock.times[-1] - clock.times[0]) / (steps - 1)


def bare(source, config, steps):
    """The same with a loop of six lines."""
    model, loss, times = Small(), L2(), []
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    training = TrainingSet(source, model.window, config, 0)
    for batch in batches(training, Places(Order(len(source), BATCH, 0), 0, 0, steps), config.workers, 0):
        optimiser.zero_grad()
        terms = loss.forward(model(batch := batch.to("cpu")), batch)
        terms.total.backward()
        optimiser.step()
        terms.total.item()
        times.append(time.process_time())
    return (times[-1] - times[0]) / (steps - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    source, config = Clips(), LoopConfig(batch=BATCH, device="cpu", flips=True)
    engine(source, config, 5), bare(source, config, 5)
    ratios = []
    for number in range(given.rounds):
        order = (bare, engine) if number % 2 else (engine, bare)
        seconds = {side: side(source, config, given.steps) for side in order}
        ratios.append(seconds[bare] / seconds[engine])
        print(f"bare {1 / seconds[bare]:.1f}, engine {1 / seconds[engine]:.1f} steps/s, ratio {ratios[-1]:.3f}")
    print(f"median ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
