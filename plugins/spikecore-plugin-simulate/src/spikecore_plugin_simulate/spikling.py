"""spikling's simulator, exactly: one spike frame per video frame, integers, no noise.

From its documented behaviour (github.com/lshpku/spikling, preprocess.video_to_spike). Per video frame: cropped in the
middle, grey with the weights of red and blue swapped, bilinear to the size wanted, 8 bits; A += grey; a pixel fires
where A >= 255 and loses 255. A starts uniform in [0, 255).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from spikecore import SpikeFormatError
from spikecore_plugin_simulate.footage import Footage
from spikecore_plugin_simulate.light import crop

_FULL = 255


def grey_frames(footage: Footage, height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    """Frames as spikling sees them, uint8 (height, width).

    Raises:
        SpikeFormatError: If they are not of 8 bits.
    """
    for pixels in footage:
        if pixels.dtype != np.uint8:
            raise SpikeFormatError(footage.path, f"{pixels.dtype} values", expected="8 bits, which spikling counts in")
        grey = cv2.cvtColor(crop(pixels, height, width), cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels
        yield np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def initial_charge(random: np.random.RandomState, height: int, width: int) -> NDArray[np.float64]:
    """Charges in [0, 255), float64 (height, width)."""
    return np.asarray(random.random((height, width)) * _FULL)


def fire(
    frames: Iterator[NDArray[np.uint8]], charge: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.uint8]]]:
    """Spikes (height, width) and the frame that made them; `charge` is changed in place."""
    for frame in frames:
        charge += frame
        spikes = charge >= _FULL
        charge -= _FULL * spikes
        yield spikes, frame
