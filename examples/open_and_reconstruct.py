"""Open a recording and make pictures of it: python open_and_reconstruct.py [RECORDING HEIGHT WIDTH].

Without a recording, one is generated and written as a camera file first.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

import spikecore as sc


def generated() -> tuple[Path, int, int]:
    """A recording of a generated scene."""
    scene = sc.compose(source={"use": "builtin/scene", "height": 120, "width": 160, "length": 200}).parts["source"]
    stream = scene.build()[0].spikes
    return sc.save(stream, "scene.dat"), stream.height, stream.width


def main(arguments: list[str]) -> None:
    path, height, width = arguments or generated()
    stream = sc.open(path, height=int(height), width=int(width))
    print(f"{stream.name}: {len(stream)} frames of {stream.height}x{stream.width}, {stream.duration * 1000:.1f} ms")

    middle = len(stream) // 2
    part = stream[middle - 20 : middle + 21]  # a view: nothing is copied or unpacked
    print(f"spikes per pixel and frame: {part.counts().mean() / len(part):.3f}")

    for method in ("classic/tfp", "classic/tfi"):
        image = sc.reconstruct(stream, method, at=middle)  # float32 (height, width) in [0, 1]
        name = f"{method.replace('/', '-')}.png"
        cv2.imwrite(name, np.round(image * 255).astype(np.uint8))
        print(f"{name}: mean intensity {image.mean():.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
