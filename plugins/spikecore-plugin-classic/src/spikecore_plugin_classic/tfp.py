"""Texture from playback (TFP): the mean of the spike frames around the instant.

Zhu, Dong, Huang, Tian, "A Retina-Inspired Sampling Method for Visual Texture Reconstruction", ICME 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from spikecore import UsageError, Window
from spikecore_plugin_classic.intensity import spikes_of, with_gamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikecore import Batch, SpikeStream
    from spikecore_plugin_classic.config import TfpConfig

BLOCK_BYTES = 8_000_000
"""Memory for the counts that a session keeps."""


class Tfp:
    """rate = spikes in the window / frames of the window, in spikes per frame."""

    def __init__(self, config: TfpConfig) -> None:
        self.window = Window.centred(config.window, config.clip)
        self.gamma = config.gamma

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """Float32 (N, 1, H, W) in [0, 1]: the mean of each stream of a batch that was cut to `window`."""
        spikes = spikes_of(batch)
        frames = [len(stream) for stream in spikes.streams]
        for stream, length in zip(spikes.streams, frames, strict=True):
            if length != self.window.length and not (self.window.clip and length < (self.window.length or 0)):
                raise UsageError(f"{stream.name}: got {length} frames for a window of {self.window.length}")
        counts = spikes.counts()
        if counts.device.type == "cpu":  # NumPy, as torch would wake all its threads for a picture this small
            shares = np.array(frames, np.float32).reshape(-1, 1, 1, 1)
            return with_gamma(torch.from_numpy(np.divide(counts.numpy(), shares, dtype=np.float32)), self.gamma)
        rate = counts.to(torch.float32) / torch.tensor(frames, device=counts.device).reshape(-1, 1, 1, 1)
        return with_gamma(rate, self.gamma)

    def session(self, stream: SpikeStream) -> TfpSession:
        """Images of one recording at instants in non-decreasing order; the same values as `reconstruct`."""
        return TfpSession(self, stream)


class TfpSession:
    """TFP of one recording; neighbouring instants share the work of one sliding sum.

    A sum slides only over instants next to each other: one that comes after a gap costs one count of its own.
    """

    def __init__(self, method: Tfp, stream: SpikeStream) -> None:
        self._method, self._stream = method, stream
        self._whole = Window(method.window.length, method.window.anchor).valid(len(stream))
        self._size = max(BLOCK_BYTES // (8 * stream.layout.frame_bytes), 1)
        self._block: NDArray[Any] | None = None
        self._first = 0
        self._last: int | None = None

    def image(self, at: int) -> NDArray[np.float32]:
        """Float32 (H, W), spikes per frame."""
        counts, frames = self._counts(at)
        self._last = at
        return with_gamma(counts.astype(np.float32, order="C") / np.float32(frames), self._method.gamma)

    def _counts(self, at: int) -> tuple[NDArray[Any], int]:
        window = self._method.window
        cut, _ = window.cut(self._stream, at)
        if at not in self._whole or self._last != at - 1:
            return cut.counts(), len(cut)
        if self._block is None or not self._first <= at < self._first + len(self._block):
            self._first = at
            stop = min(at + self._size, self._whole.stop) + len(cut) - 1
            self._block = self._stream[at - window.anchor : stop - window.anchor].sliding_counts(len(cut))
        return self._block[at - self._first], len(cut)
