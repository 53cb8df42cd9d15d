"""The functions that spikling's README names, under their names, over this plugin's own code.

`seq` is uint8 (frames, height, width) of 0 and 1, as `load_spike_raw` gives it, or a `spikecore.SpikeStream`, which is
faster. Pictures are uint8 (height, width) of any size. What the original misses is an error here: frames outside the
recording, files that are not there, videos that cannot be written.
"""

from __future__ import annotations

from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from spikecore import Bound, SpikeStream, default_host, load_model
from spikecore.files.atomic import atomic
from spikecore_plugin_spikling import methods
from spikecore_plugin_spikling.companions import companion
from spikecore_plugin_spikling.curve import OFFSET, Fit, with_stand_ins
from spikecore_plugin_spikling.curves import brightness, integral
from spikecore_plugin_spikling.export import starts, write_grey_avi
from spikecore_plugin_spikling.filters import denoising, smoothing
from spikecore_plugin_spikling.methods import Grey, Method, painter
from spikecore_plugin_spikling.network import FRAMES, SemiUnet
from spikecore_plugin_spikling.simulator import video_to_spike

Sequence: TypeAlias = NDArray[Any] | SpikeStream
File: TypeAlias = str | PathLike[str]

__all__ = [
    "Generator",
    "brightness_polynome",
    "denoising",
    "generate",
    "integral_polynome",
    "interval_method",
    "load_spike_raw",
    "smoothing",
    "transform_gen",
    "transform_interval",
    "transform_raw",
    "transform_window",
    "transfrom_window",
    "video_to_spike",
    "window_method",
]


class Generator(SemiUnet):
    """The Semi-UNet; `generate` reads its output. Without `load` its weights are random."""

    def load(self, path: File = "generated") -> Generator:
        """Load weights: the name of those that come with the plugin, or a file of the original or of ours.

        Raises:
            WeightsError: If there is no such file, or it is not of this network.
        """
        host = default_host()
        component = host.find("spikling/semi-unet")
        trained = load_model(host, Bound(component, host.configure(component, {})), str(path))
        self.load_state_dict(trained.model.network.state_dict())
        return self

    def save(self, path: File) -> None:
        """Write the weights as a plain state_dict that the original reads; the file appears when it is complete."""
        data = BytesIO()  # into memory: torch hides the reason if a disk is full
        torch.save({name: value.detach().cpu() for name, value in self.state_dict().items()}, data)
        with atomic(Path(path)) as temporary:
            temporary.write_bytes(data.getbuffer())


def load_spike_raw(path: File, width: int = 400, height: int = 250) -> NDArray[np.uint8]:
    """A raw recording, uint8 (frames, height, width); an incomplete last frame is left out with a warning."""
    host = default_host()
    options = {"path": str(path), "width": width, "height": height, "allow_truncated": True}
    spikes: NDArray[np.uint8] = host.build(companion(host, "vidar/dat"), options)[0].spikes.unpack()
    return spikes


def interval_method(seq: Sequence, middle: int) -> Grey:
    """255 / the inter-spike interval at frame `middle`."""
    return methods.interval(_stream(seq), middle)


def window_method(seq: Sequence, start: int, window: int = FRAMES) -> Grey:
    """255 times the mean of `window` frames from `start` on."""
    return methods.window(_stream(seq), start, window)


def generate(model: torch.nn.Module, seq: Sequence, start: int, *, fast: bool = False) -> Grey:
    """What the network makes of the 32 frames from `start` on; `fast`: in bfloat16 where that pays."""
    return methods.generate(model, _stream(seq), start, fast)


def brightness_polynome(seq: Sequence, k: int) -> NDArray[np.float64]:
    """The line through three rates at frame `k`, plus 30, at most 255; float64."""
    return _curve(seq, k, brightness, 255.0)


def integral_polynome(seq: Sequence, k: int) -> NDArray[np.float64]:
    """The slope at frame `k` of the parabola through four charges, plus 30, at most 255; float64."""
    return _curve(seq, k, integral, 256.0)


def transform_raw(seq: Sequence, stride: int, save_path: File) -> None:
    """A video of the spikes."""
    _export(Method.RAW, seq, stride, save_path)


def transform_interval(seq: Sequence, stride: int, save_path: File) -> None:
    """A video by `interval_method`."""
    _export(Method.INTERVAL, seq, stride, save_path)


def transform_window(seq: Sequence, window: int, stride: int, save_path: File) -> None:
    """A video by `window_method`."""
    _export(Method.WINDOW, seq, stride, save_path, window=window)


def transform_gen(model: torch.nn.Module, seq: Sequence, stride: int, save_path: File) -> None:
    """A video by `generate`."""
    _export(Method.GENERATE, seq, stride, save_path, network=model)


transfrom_window = transform_window
"""As the original's README writes it."""


def _stream(seq: Sequence) -> SpikeStream:
    return seq if isinstance(seq, SpikeStream) else SpikeStream.from_frames(seq, name="the sequence")


def _curve(seq: Sequence, k: int, fit: Fit, unit: float) -> NDArray[np.float64]:
    return np.minimum(unit * with_stand_ins(_stream(seq), k, fit) + OFFSET, 255)


def _export(
    method: Method,
    seq: Sequence,
    stride: int,
    save_path: File,
    *,
    network: torch.nn.Module | None = None,
    window: int = FRAMES,
) -> None:
    stream, paint = _stream(seq), painter(method, network, window)
    write_grey_avi(Path(save_path), (paint(stream, start) for start in starts(len(stream), stride)))
