"""Generated samples with exact ground truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikecore import EventStream, Sample, SpikeStream

if TYPE_CHECKING:
    from spikecore_plugin_tiny.config import DriveConfig, PanConfig

RATE = 0.6
"""Spikes per frame at intensity 1."""


class Pan:
    """A texture slides to the left by half a pixel a spike frame.

    Camera frames are the mean over their exposure; the true video is the texture in the middle of each; the spike
    camera fires whenever its integral of RATE × intensity passes a whole number.
    """

    def __init__(self, config: PanConfig) -> None:
        self.config = config

    def __len__(self) -> int:
        return self.config.clips

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"there are clips 0..{len(self) - 1}, not {index}")
        config = self.config
        random = np.random.default_rng([config.seed, index])
        length = config.frames * config.exposure
        texture = np.repeat(random.random((config.size, config.size + length)), 2, axis=1)[
            :, : 2 * config.size + length
        ]
        scene = np.stack([texture[:, t // 2 : t // 2 + config.size] for t in range(length)])
        charge = random.random(scene.shape[1:]) + RATE * np.cumsum(scene, axis=0)
        spikes = np.diff(np.floor(charge), axis=0, prepend=np.floor(charge[:1] - RATE * scene[:1])) > 0
        exposures = scene.reshape(config.frames, config.exposure, config.size, config.size).astype(np.float32)
        middles = np.arange(config.frames) * config.exposure + config.exposure // 2
        return Sample(
            key=f"pan-{config.seed}-{index}",
            spikes=SpikeStream.from_frames(spikes, gain=1 / RATE, name=f"pan {index}"),
            frames=exposures.mean(1)[:, None],
            frame_times=middles.astype(np.float64),
            target={"video": exposures[:, config.exposure // 2, None]},
        )


class Drive:
    """Depth in metres falls from top to bottom, with a box in front; a pixel at depth z makes 20 / z events on average.

    The row at the horizon is unknown (NaN).
    """

    def __init__(self, config: DriveConfig) -> None:
        self.config = config

    def __len__(self) -> int:
        return self.config.clips

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"there are clips 0..{len(self) - 1}, not {index}")
        size = self.config.size
        random = np.random.default_rng([self.config.seed, index])
        depth = np.repeat(np.linspace(10, 2, size)[:, None], size, axis=1)
        row, column = random.integers(0, size - size // 3, 2)
        depth[row : row + size // 3, column : column + size // 3] = random.uniform(1.5, 3)
        counts = random.poisson(20 / depth)
        y, x = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(depth.shape))
        order = random.permutation(len(x))
        truth = depth.astype(np.float32)[None]
        truth[:, 0] = np.nan
        events = EventStream(
            x=x[order].astype(np.int16),
            y=y[order].astype(np.int16),
            t=np.sort(random.integers(0, 10_000, len(x))),
            p=random.random(len(x)) < 0.5,
            height=size,
            width=size,
            name=f"drive {index}",
        )
        return Sample(key=f"drive-{self.config.seed}-{index}", events=[events], target={"depth": truth})
