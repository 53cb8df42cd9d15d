"""Pictures from a camera while it runs: push frames as they arrive, look whenever you like."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

import spikecore as sc

CHUNK = 40  # frames that arrive together: 2 ms at 20 kHz


def camera() -> tuple[sc.Layout, Iterator[NDArray[np.uint8]]]:
    """A stand-in for a camera's driver: how frames lie in their bytes, and packed frames, chunk by chunk."""
    source = sc.compose(source={"use": "builtin/scene", "height": 120, "width": 160, "length": 400}).parts["source"]
    stream = source.build()[0].spikes
    return stream.layout, (stream.packed[start : start + CHUNK] for start in range(0, len(stream), CHUNK))


def main() -> None:
    layout, chunks = camera()
    live = sc.Live(layout, window=41)
    live.push(next(chunks))  # the first push compiles the kernels
    seconds = 0.0
    for chunk in chunks:
        began = perf_counter()
        live.push(chunk)
        image = live.rate()  # spikes per frame over the last 41 frames
        seconds += perf_counter() - began
        interval = np.median(live.intervals())
        print(f"frame {live.frames}: mean rate {image.mean():.3f}, median interval {interval:.0f} frames")
    print(f"{(live.frames - CHUNK) / seconds:.0f} frames per second taken in")


if __name__ == "__main__":
    main()
