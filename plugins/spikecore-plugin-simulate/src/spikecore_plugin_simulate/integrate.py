"""Integrate and fire: one frame of light into one frame of packed spikes.

`left` is the charge each pixel still has to collect before it fires. Pixel p of a frame is bit p % 8 of byte p // 8.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spikecore.kernels.compiled import compiled


@compiled
def integrate(light: Any, slope: Any, extra: Any, threshold: Any, left: Any, keep: bool, packed: Any) -> None:
    """Collect one frame of charge, slope·light + extra; fire where none is left to collect, and begin anew.

    Args:
        light: float32 (pixels,), intensity.
        slope: float32 (pixels,), charge per frame at intensity 1.
        extra: float32 (pixels,), charge per frame without light.
        threshold: float32 (pixels,), charge of a spike.
        left: float32 (pixels,), changed in place.
        keep: Charge beyond the threshold counts for the next spike; else it is lost. What reaches a second threshold in
            the same frame is lost always: a pixel fires at most once a frame.
        packed: uint8 (ceil(pixels / 8),), written.
    """
    bits = np.empty(light.size, np.uint8)
    for p in range(light.size):
        rest = left[p] - (slope[p] * light[p] + extra[p])
        fired = rest <= np.float32(0.0)
        beyond = max(rest, -threshold[p]) if keep else np.float32(0.0)
        left[p] = beyond + threshold[p] if fired else rest
        bits[p] = fired
    pack(bits, packed)


@compiled
def integrate_photons(
    light: Any, slope: Any, extra: Any, threshold: Any, left: Any, keep: bool, packed: Any, photons: float, random: Any
) -> None:
    """As `integrate`, but every spike waits for `photons` photons on average, which arrive at random.

    The mean charge at the arrival of photon number P of a Poisson process is Gamma(P) / P of the charge of P photons:
    one random number a spike does what one Poisson number a pixel and frame would.
    """
    bits = np.empty(light.size, np.uint8)
    for p in range(light.size):
        rest = left[p] - (slope[p] * light[p] + extra[p])
        fired = rest <= np.float32(0.0)
        if fired:
            beyond = max(rest, -threshold[p]) if keep else np.float32(0.0)
            rest = beyond + threshold[p] * np.float32(random.standard_gamma(photons) / photons)
        left[p] = rest
        bits[p] = fired
    pack(bits, packed)


@compiled
def pack(bits: Any, packed: Any) -> None:
    """Eight values 0 or 1 to a byte, the first in its lowest bit."""
    for byte in range(packed.size):
        value = np.uint8(0)
        for bit in range(min(8, bits.size - 8 * byte)):
            value |= bits[8 * byte + bit] << np.uint8(bit)
        packed[byte] = value
