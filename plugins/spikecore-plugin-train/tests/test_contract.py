from __future__ import annotations

from typing import ClassVar

from spikecore.testing import LossContract, TrainerContract


class TestLoop(TrainerContract):
    component = "train/loop"
    options: ClassVar = {"batch": 4, "checkpoint_every": 6, "keep": 2}
    checkpoint_every = 6


class TestLoopWithEverything(TrainerContract):
    component = "train/loop"
    options: ClassVar = {
        "batch": 8,
        "crop": 4,
        "flips": True,
        "rotations": True,
        "clip": 10.0,
        "ema": 0.5,
        "checkpoint_every": 5,
        "logs": [],
        "precision": "bfloat16",
        "deterministic": True,
    }
    checkpoint_every = 5


class TestL1(LossContract):
    component = "train/l1"
    zero_at_equality = True


class TestL2(LossContract):
    component = "train/l2"
    zero_at_equality = True


class TestCharbonnier(LossContract):
    component = "train/charbonnier"


class TestVideo(LossContract):
    component = "train/video"
    zero_at_equality = True


class TestDepth(LossContract):
    component = "train/depth"
    options: ClassVar = {"norm": "l2"}
    zero_at_equality = True
