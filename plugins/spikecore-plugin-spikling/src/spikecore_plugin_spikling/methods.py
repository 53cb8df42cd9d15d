"""Grey pictures, 0..255 and truncated, by each of the original's four ways from spikes to a picture."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spikecore import Sample, SpikeStream, UsageError, collate
from spikecore_plugin_spikling.config import IntervalConfig, WindowConfig
from spikecore_plugin_spikling.interval import Interval
from spikecore_plugin_spikling.network import FRAMES
from spikecore_plugin_spikling.semi_unet import grey_levels, on_any_size
from spikecore_plugin_spikling.window import WindowMean

Grey = NDArray[np.uint8]


class Method(Enum):
    """How a spike frame becomes a picture."""

    RAW = "raw"
    INTERVAL = "interval"
    WINDOW = "window"
    GENERATE = "generate"


def raw(stream: SpikeStream, at: int) -> Grey:
    """The spikes of frame `at`, 255 where there is one."""
    picture: Grey = stream[at] * np.uint8(255)
    return picture


def window(stream: SpikeStream, start: int, frames: int = FRAMES) -> Grey:
    """The mean of the frames from `start` on, of as many as the recording has.

    Raises:
        UsageError: If it has none of them.
    """
    if frames < 1 or not 0 <= start < len(stream):
        raise UsageError(
            f"{stream.name}: a window of {frames} frames from frame {start} on holds none of 0..{len(stream) - 1}"
        )
    part = stream[start : start + frames]
    return _levels(WindowMean(WindowConfig(window=len(part), compat=True)), part, len(part) // 2)


def interval(stream: SpikeStream, at: int) -> Grey:
    """255 / the inter-spike interval at frame `at`, with the original's rule at the ends."""
    return _levels(Interval(IntervalConfig(compat=True)), stream, at)


def generate(network: nn.Module, stream: SpikeStream, start: int, fast: bool = False) -> Grey:
    """What the Semi-UNet makes of the 32 frames from `start` on, on the network's device.

    With `fast` it computes in bfloat16 where that pays; some pixels then differ by a level or two.

    Raises:
        UsageError: If the recording has not that many.
    """
    if start < 0 or start + FRAMES > len(stream):
        raise UsageError(
            f"{stream.name}: {FRAMES} frames from frame {start} on are needed; frames are 0..{len(stream) - 1}"
        )
    weight = next(network.parameters())
    spikes = torch.from_numpy(stream.unpack(start, start + FRAMES))[None].to(weight.device, weight.dtype)
    with torch.inference_mode():
        levels = grey_levels(on_any_size(network, spikes, fast))
    picture: Grey = levels[0, 0].clamp(0, 255).to(torch.uint8).cpu().numpy()
    return picture


def _levels(method: Any, stream: SpikeStream, at: int) -> Grey:
    sample = Sample(key=stream.name, spikes=stream, at=at).around(method.window)  # refuses instants outside
    rate: torch.Tensor = method.reconstruct(collate([sample]).to("cpu"))
    picture: Grey = np.rint(rate[0, 0].numpy() * 255).astype(np.uint8)
    return picture


def painter(
    method: Method, network: nn.Module | None = None, frames: int = FRAMES, fast: bool = False
) -> Callable[[SpikeStream, int], Grey]:
    """The picture of a recording that begins at a frame, by one of the methods.

    Raises:
        UsageError: If `generate` is asked for without a network.
    """
    if method is Method.GENERATE:
        if network is None:
            raise UsageError("pictures by the network need a network")
        return lambda stream, start: generate(network, stream, start, fast)
    if method is Method.WINDOW:
        return lambda stream, start: window(stream, start, frames)
    return raw if method is Method.RAW else interval
