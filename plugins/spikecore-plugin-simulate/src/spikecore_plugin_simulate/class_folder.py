"""Writing class-labelled recordings as SpikeCLIP's programs expect them: ROOT/train/00000.npz, ROOT/test/….npz."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from spikecore import Sample, make_converter
from spikecore.files.atomic import atomic, write_text
from spikecore.files.inputs import Inputs
from spikecore_plugin_simulate.classes import RATES, SPEEDS, Classes
from spikecore_plugin_simulate.config import ClassesConfig, Split
from spikecore_plugin_simulate.unfinished import unfinished

MANIFEST = "manifest.json"


def write_class_folder(root: Path, config: ClassesConfig) -> Iterator[Path]:
    """Write all training, then all test items of a data set, each atomically, and last `manifest.json`.

    One that was not finished is made again, by the same options.

    Files are numbered through, the test items after the training items. Each holds `spk` (uint8 (frames, 250, 250);
    float32 with `original`), `label` (int64), and `label_name` but for `original`. The manifest says how they were made
    and which light and motion each item has.

    Args:
        root: Folder of the data set, made if need be.
        config: What to make; its split does not matter.

    Yields:
        Each file when it is complete.

    Raises:
        UsageError: If the folder is in use, holds a data set already, or one of other options that is not finished.
        OutputError: If a folder or file cannot be written.
    """
    made = make_converter().unstructure(config)
    parts = [root / MANIFEST, *(root / split.value for split in Split)]
    if config.images is not None:
        Inputs([config.images]).refuse(root, *parts)
    with unfinished(root, {"component": "simulate/classes", "options": {**made, "split": None}}, parts):
        yield from _write_all(root, config, made)


def _write_all(root: Path, config: ClassesConfig, made: Any) -> Iterator[Path]:
    items: dict[str, Any] = {}
    number = 0
    for split in Split:
        folder = root / split.value
        source = Classes(attrs.evolve(config, split=split))
        for index in range(len(source)):
            path = folder / f"{number:05d}.npz"
            sample = source[index]
            _write(path, sample, config.original)
            items[f"{split.value}/{path.name}"] = {"label": sample.label, **sample.meta}
            number += 1
            yield path
    ranges = {} if config.original else {"rates": RATES, "speeds_px_per_frame": SPEEDS}
    names = list(Classes(config).names)
    write_text(root / MANIFEST, json.dumps({"options": made, "classes": names, **ranges, "items": items}, indent=1))
    yield root / MANIFEST


def _write(path: Path, sample: Sample, original: bool) -> None:
    assert sample.spikes is not None  # the source makes spikes
    spikes = sample.spikes.unpack()
    held: dict[str, Any] = {
        "spk": spikes.astype(np.float32) if original else spikes,
        "label": np.int64(sample.label or 0),
    }
    if not original:
        held["label_name"] = np.array(sample.text)
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **held)
