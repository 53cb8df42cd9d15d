"""Videos as spikling exports them: AVI, XVID, grey, 30 frames per second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikecore import OutputError, UsageError
from spikecore.files.atomic import atomic
from spikecore_plugin_spikling.network import FRAMES

FPS = 30.0
CODEC = "XVID"


def starts(frames: int, stride: int, *, last: bool = False) -> range:
    """First spike frames of the windows that become video frames.

    The original makes (frames - 32) // stride of them for every method and window, which leaves out the last one.

    Args:
        frames: Spike frames of the recording.
        stride: Spike frames from one video frame to the next.
        last: The last window too.

    Raises:
        UsageError: If there is none.
    """
    if stride < 1:
        raise UsageError(f"stride {stride} must be above 0")
    count = (frames - FRAMES) // stride + last
    if count < 1:
        least = FRAMES + (0 if last else stride)
        raise UsageError(f"{frames} spike frames make no video frame with stride {stride}; at least {least} are needed")
    return range(0, count * stride, stride)


def write_grey_avi(path: Path, pictures: Iterable[NDArray[np.uint8]]) -> Path:
    """Write pictures uint8 (height, width) as a video; it has its name only when it is complete.

    The codec has no odd sides: it leaves out the last row or column of such pictures.

    Raises:
        OutputError: If it cannot be written there, or OpenCV cannot encode it here.
        UsageError: If the name is not of an AVI file.
    """
    import cv2

    if path.suffix.lower() != ".avi":
        raise UsageError(f"{path}: this video is written as .avi; for other formats see spikecore reconstruct")
    written = 0
    with atomic(path) as temporary:
        writer = cv2.VideoWriter()
        try:
            for picture in pictures:
                if not written:
                    height, width = picture.shape
                    code = cv2.VideoWriter.fourcc(*CODEC)
                    if not writer.open(str(temporary), code, FPS, (width, height), False):
                        raise OutputError(f"{path}: OpenCV cannot encode {CODEC} of {width}x{height} pixels here")
                writer.write(picture)
                written += 1
        finally:
            writer.release()
        _check(path, temporary, written)
    return path


def _check(path: Path, temporary: Path, written: int) -> None:
    """OpenCV reports no error when the disk is full, so the frames are counted."""
    import cv2

    video = cv2.VideoCapture(str(temporary))
    found = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
    video.release()
    if found != written:
        raise OutputError(f"{path}: only {found} of {written} frames arrived (is the disk full?)")
