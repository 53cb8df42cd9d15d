"""Short-term plasticity of one synapse per pixel, driven by packed spikes.

At a spike that comes dt frames after the previous one (Zheng et al., CVPR 2021 and TPAMI 2023):

    R ← 1 - (1 - R·(1 - u))·exp(-dt / D)                resources: spent by the spike before, recovering
    u ← u0 + (u + f·(1 - u) - u0)·exp(-dt / F)          utilisation: raised by the spike before, fading

Both are float32, as in the published code, whose histogram equalisation would show any other rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikecore import UsageError
from spikecore.kernels.compiled import compiled
from spikecore_plugin_classic.config import Mode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikecore import SpikeStream
    from spikecore_plugin_classic.config import TfstpConfig

CHUNK = 64
"""Frames copied out of a recording at a time."""


@compiled
def _push(
    packed: NDArray[np.uint8],
    moment: int,
    moments: NDArray[np.int32],
    resources: NDArray[np.float32],
    used: NDArray[np.float32],
    recovery: NDArray[np.float32],
    fading: NDArray[np.float32],
    u0: np.float32,
    f: np.float32,
    skip_first: bool,
) -> None:
    """Take in frames; `moment` is the number of frames before them, `moments` one more than the last spike's frame."""
    one = np.float32(1)
    for frame in range(packed.shape[0]):
        now = moment + frame + 1
        for byte in range(packed.shape[1]):
            bits = np.int64(packed[frame, byte])
            pixel = 8 * byte
            while bits:
                if bits & 1:
                    before = moments[pixel]
                    moments[pixel] = now
                    if before or not skip_first:
                        dt = min(now - before, recovery.shape[0] - 1)
                        u = used[pixel]
                        resources[pixel] = one - (one - resources[pixel] * (one - u)) * recovery[dt]
                        used[pixel] = u0 + (u + f * (one - u) - u0) * fading[dt]
                bits >>= 1
                pixel += 1


class Synapses:
    """The synapses of all pixels after the first `moment` frames of a recording."""

    def __init__(self, config: TfstpConfig, stream: SpikeStream) -> None:
        self._config, self._stream = config, stream
        self.moment = 0
        pixels = 8 * stream.layout.frame_bytes
        self._moments = np.zeros(pixels, np.int32)
        self._resources, self._used = np.ones(pixels, np.float32), np.full(pixels, config.u0, np.float32)
        dt = np.arange(int(104 * max(config.D, config.F)) + 2)  # exp(-104) is 0 in float32
        self._recovery, self._fading = (np.exp(-dt / time).astype(np.float32) for time in (config.D, config.F))

    def advance(self, at: int) -> None:
        """Take in the frames up to and including `at`.

        Raises:
            UsageError: If frame `at` is outside the recording, or frames after it have been taken in already.
        """
        if not max(self.moment - 1, 0) <= at < len(self._stream):
            raise UsageError(
                f"{self._stream.name}: cannot go on to instant {at} after {self.moment} of {len(self._stream)} frames"
            )
        u0, f = np.float32(self._config.u0), np.float32(self._config.f)
        states = (self._moments, self._resources, self._used, self._recovery, self._fading)
        for start in range(self.moment, at + 1, CHUNK):
            frames = np.array(self._stream.packed[start : min(start + CHUNK, at + 1)])  # writable: compiled only once
            _push(frames, start, *states, u0, f, self._config.mode is Mode.OFFLINE)
        self.moment = at + 1

    @property
    def resources(self) -> NDArray[np.float32]:
        """R, float32 (H, W) in [0, 1]; 1 for pixels that never fired."""
        return self._picture(self._resources)

    @property
    def used(self) -> NDArray[np.float32]:
        """u, float32 (H, W) in [u0, 1]; u0 for pixels that never fired."""
        return self._picture(self._used)

    def _picture(self, state: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ascontiguousarray(self._stream.layout.image(state))
