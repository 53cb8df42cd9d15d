"""Writing our own HDF5 format; see `hdf5` for the layout.

Spikes of one pixel in successive frames are alike, so packing 32 of them in a word before gzip makes files a quarter to
a half smaller than compressing frames one by one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from spikecore import Layout, OutputError, SpikeStream, UsageError
from spikecore.files.hdf5_writer import Writer
from spikecore_plugin_vidar.config import Hdf5Config
from spikecore_plugin_vidar.hdf5 import FORMAT, VERSION, digest_of
from spikecore_plugin_vidar.packing import WORD, block_length, blocks, to_words, unpack
from spikecore_plugin_vidar.recognise import HDF5_DATASET

_MAX_PIXELS = 64 * 10**6
"""One plane of words must fit in a chunk of 256 MB."""
_GZIP_LEVEL = 4


def write_hdf5(stream: SpikeStream, path: Path, config: Hdf5Config) -> None:
    """Write packed words in gzip-compressed, checksummed chunks of full frames; in blocks.

    Raises:
        UsageError: If the stream is empty.
        OutputError: If its pictures are larger than 64 million pixels.
    """
    if config.path.suffix.lower() == ".mat":
        raise UsageError(f"{config.path}: MATLAB's files are only read; write a .h5, which MATLAB opens with h5read")
    height, width = stream.height, stream.width
    if height * width > _MAX_PIXELS:
        raise OutputError(f"pictures of {height}x{width} are too large for our HDF5 format; write a .dat")
    if not len(stream):
        raise UsageError(f"{stream.name}: a recording without frames cannot be written")
    layout = Layout(height, width)
    planes = -(-len(stream) // WORD)
    digest = hashlib.sha256()
    chunk = min(block_length(height, width) // WORD, planes)  # a block fills whole chunks
    with Writer(path) as file:
        file.dataset(HDF5_DATASET, "<u4", (planes, height, width), (chunk, height, width), compression=_GZIP_LEVEL)
        done = 0
        for packed in blocks(stream, layout):
            frames = unpack(packed, layout)
            # packed anew, because bits that no pixel uses may be set in the recording and are not stored here
            digest.update(np.packbits(frames.reshape(len(frames), -1), axis=1, bitorder="little").data)
            words = to_words(frames)
            file.write(HDF5_DATASET, done, words)
            done += len(words)
        facts = {**_facts(stream, config), "sha256": digest.hexdigest()}
        file.describe(HDF5_DATASET, {**facts, "digest": digest_of(facts)}, fixed=True)


def _facts(stream: SpikeStream, config: Hdf5Config) -> dict[str, str | int | float]:
    facts: dict[str, str | int | float] = {
        "format": FORMAT,
        "version": VERSION,
        "length": len(stream),
        "height": stream.height,
        "width": stream.width,
        "rate": float(config.rate or stream.rate),
    }
    gain = config.gain or stream.gain
    return facts if gain is None else {**facts, "gain": float(gain)}
