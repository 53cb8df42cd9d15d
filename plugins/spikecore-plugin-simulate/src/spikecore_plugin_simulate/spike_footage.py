"""Spikes that were kept as a video or as images look like footage: a word before they are simulated once more."""

from __future__ import annotations

import warnings
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from spikecore_plugin_simulate.footage import Footage

_PICTURES = 8
_NEAR = 0.25
"""Farthest from black and from white, as a share of white, that lossy codecs bring most spikes."""
_SHARE = 0.8
_FLICKER = 0.9
_RAREST = 1e-3


class SpikeFootageWarning(UserWarning):
    """Footage that looks like spikes, and is taken for a scene."""


def warn_if_spikes(footage: Footage) -> None:
    """Warn if the first pictures are black and white only, and flicker as no moving scene does.

    Of the lighter values four in five must be near white, of the darker near black; and from picture to picture nearly
    as many pixels must change as there are of the rarer kind. White is the largest value of the type, or 1 where no
    value is larger.
    """
    shares, changes, before = [], [], None
    for pixels in islice(footage, _PICTURES):
        light, *share = _halves(pixels)
        shares.append(share)
        if before is not None:
            changes.append(np.mean(before != light))
        before = light
    lit, near_white, near_black = np.mean(shares, axis=0)
    rare = min(lit, 1 - lit)
    if not changes or rare < _RAREST or near_white < _SHARE * lit or near_black < _SHARE * (1 - lit):
        return
    if np.mean(changes) >= _FLICKER * rare:
        text = (
            f"{footage.path}: all is black or white, and flickers, as spikes do; it is taken as a scene, and other "
            "spikes are simulated from it\n  if these are spikes: put them into an array of 0 and 1 (frames, height, "
            "width), and save it: spikecore.save(spikecore.SpikeStream.from_frames(array), 'NAME.dat')\n"
            "  if it is a scene: check=False (--no-check; --set check=false)"
        )
        warnings.warn(text, SpikeFootageWarning, stacklevel=3)


def _halves(pixels: NDArray[Any]) -> tuple[NDArray[np.bool_], float, float, float]:
    """Which pixels are lighter than half white; shares of all pixels: those, near white, near black."""
    grey = pixels[..., 1] if pixels.ndim == 3 else pixels
    white = 1.0 if grey.dtype.kind == "f" or grey.max() <= 1 else float(np.iinfo(grey.dtype).max)
    light = grey > white / 2
    near_white, near_black = np.mean(grey >= (1 - _NEAR) * white), np.mean(grey <= _NEAR * white)
    return light, float(np.mean(light)), float(near_white), float(near_black)
