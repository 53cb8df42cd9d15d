"""Options of the plugin's components. Imports no torch."""

from __future__ import annotations

from enum import Enum

import attrs
from attrs.validators import and_, ge, gt, le, lt

from spikecore import Precision, option


class Sampling(Enum):
    """Which instant of a recording a training sample shows."""

    INSTANT = "instant"
    RANDOM = "random"


class Log(Enum):
    """Where a training run is written down."""

    CSV = "csv"
    TENSORBOARD = "tensorboard"
    WANDB = "wandb"


class Norm(Enum):
    """How a difference is counted."""

    L1 = "l1"
    L2 = "l2"
    CHARBONNIER = "charbonnier"


@attrs.frozen
class NoOptions:
    """A loss without options."""


@attrs.frozen
class NormConfig:
    """Options of train/video and train/depth."""

    norm: Norm = option(Norm.L1, help="how a difference is counted")


@attrs.frozen
class LoopConfig:
    """Options of train/loop."""

    batch: int = option(
        8, help="samples of one optimiser step, all processes and micro-batches together", validator=ge(1)
    )
    accumulate: int = option(1, help="micro-batches that a process cuts its share of a batch into", validator=ge(1))
    workers: int = option(0, help="processes that prepare samples, for each training process", validator=ge(0))
    device: str = option("auto", help="cpu, cuda, cuda:N, or auto: a GPU where there is one")
    precision: Precision = option(Precision.FLOAT32, help="arithmetic of the forward pass")
    clip: float = option(0.0, help="largest norm of the gradient, 0 for any", validator=ge(0.0))
    ema: float = option(
        0.0,
        help="decay of an average of the weights that is judged and exported, less at first; 0 for none",
        validator=and_(ge(0.0), lt(1.0)),
    )
    compile: bool = option(
        False, help="compile the network with torch.compile; no effect on models that call only parts of it"
    )
    deterministic: bool = option(False, help="refuse operations whose result differs from call to call")
    sampling: Sampling = option(
        Sampling.INSTANT,
        help="spikes around the sample's own instant, or a random one where the truth is known there too",
    )
    clip_length: int = option(
        0,
        help="camera frames (without any: spike frames) of a random clip of each sample, 0 for whole",
        validator=ge(0),
    )
    crop: int = option(
        0, help="side in pixels of a random square of each sample, 0 for whole pictures", validator=ge(0)
    )
    flips: bool = option(False, help="mirror samples at random")
    rotations: bool = option(False, help="turn samples by random multiples of 90 degrees")
    calibrate: bool = option(True, help="true pictures of spike recordings are in spikes per frame: intensity / gain")
    checkpoint_every: int = option(500, help="optimiser steps between two checkpoints", validator=ge(1))
    keep: int = option(3, help="newest checkpoints that are kept, besides the best", validator=ge(1))
    log_every: int = option(10, help="optimiser steps between two lines of a log", validator=ge(1))
    validate_every: int = option(0, help="optimiser steps between two validations, 0 for every epoch", validator=ge(0))
    best: str = option("", help="metric that says which weights are best; the first by default")
    patience: int = option(0, help="validations without a better score that end a stage, 0 for never", validator=ge(0))
    pictures: int = option(4, help="validation samples that are drawn as PNG at each validation", validator=ge(0))
    logs: tuple[Log, ...] = option(
        (Log.CSV,), help="where values are written, beside the results of plugins: csv, tensorboard, wandb"
    )
    timeout: int = option(1800, help="seconds that processes wait for each other", validator=and_(gt(0), le(86_400)))

    def __attrs_post_init__(self) -> None:
        if len(set(self.logs)) != len(self.logs):
            raise ValueError(f"logs={[log.value for log in self.logs]} names one of them twice")
