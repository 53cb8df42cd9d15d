"""A small training with everything random in it, as a module for tests and as a program that tests can kill.

    python task.py DIRECTORY [--steps 24] [--plain] [option=value …]

Prints the number of every step that is done.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.loop import Loop
from torch import nn

from spikecore import LossTerms, PluginHost, PluginInfo, Stage, TrainRun, Window, hookimpl, make_converter, structure
from spikecore.testing.tiny import TinySource


class Net(nn.Module):
    """Two convolutions; unless `plain`, with batch statistics and dropout between them."""

    window = Window.centred(8)

    def __init__(self, plain=False, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        between = [] if plain else [nn.BatchNorm2d(4), nn.Dropout(0.3)]
        self.network = nn.Sequential(nn.Conv2d(8, 4, 3, padding=1), *between, nn.ReLU(), nn.Conv2d(4, 1, 1))

    def forward(self, batch):
        return {"image": self.network(batch.spikes.tensor())}

    def stages(self):
        return recipe(24)


class L2:
    def forward(self, output, batch):
        total = (output["image"] - batch.target["image"]).square().mean()
        return LossTerms(total, {"l2": total})


class Echo:
    """Says when a step is done."""

    @hookimpl
    def spikecore_info(self):
        return PluginInfo("prints steps")

    @hookimpl
    def spikecore_step_end(self, step):
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()
        time.sleep(0.03)  # so that whoever reads this can kill the process before it is done


def recipe(steps, **changes):
    first = {
        "losses": {"l2": 1.0},
        "optimiser": {"use": "adam", "lr": 0.01},
        "schedule": {"use": "cosine", "warmup": 2},
    }
    half = steps // 2
    return [
        Stage("first", steps=half, **{**first, **changes}),
        Stage("second", steps=steps - half, **{**first, **changes}),
    ]


def train(directory, steps=24, *, options=None, plain=False, stages=None, **changes):
    """Train the task; returns (result, model)."""
    config = {"batch": 4, "checkpoint_every": 5, "logs": [], "device": "cpu", **(options or {})}
    if not plain:
        config = {"crop": 4, "flips": True, "rotations": True, "ema": 0.8, **config}
    run = {
        "model": Net(plain),
        "source": TinySource(10),
        "losses": {"l2": L2()},
        "stages": stages or recipe(steps),
        "directory": Path(directory),
        "host": PluginHost(),
        **changes,
    }
    result = Loop(structure(make_converter(), config, LoopConfig, "$")).fit(TrainRun(**run))
    return result, run["model"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--options", type=json.loads, default={})
    given = parser.parse_args()
    torch.set_num_threads(1)
    host = PluginHost()
    host.register(Echo(), "echo")
    train(given.directory, given.steps, options=given.options, plain=given.plain, host=host, resume="auto")
    threads = [(entry / "comm").read_text() for entry in Path("/proc/self/task").iterdir()]
    assert not any("gloo" in name for name in threads), "a process group is left, whose threads may abort the exit"


if __name__ == "__main__":
    main()
