"""Trained weights as plain safetensors, with a card that says what `spikecore.Weights` needs to list them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from spikecore.interfaces import Model
from spikecore.output import atomic, write_text
from spikecore.weights import file_hash


def export(model: Model, path: Path, training: str, scores: Mapping[str, float]) -> Path:
    """Write the bare network's weights to `path`, and a card NAME.json beside it; both atomically.

    Args:
        model: Whose `network` is written, under the keys of its state_dict.
        path: A name that ends in .safetensors.
        training: One sentence, for the card.
        scores: Measured scores.
    """
    tensors = {name: value.detach().cpu().clone() for name, value in model.network.state_dict().items()}
    with atomic(path) as temporary:
        save_file({name: value.contiguous() for name, value in tensors.items()}, str(temporary))
    card: dict[str, Any] = {
        "name": path.stem,
        "file": path.name,
        "sha256": file_hash(path),
        "size": path.stat().st_size,
        "training": training,
        "scores": dict(scores),
    }
    write_text(path.with_suffix(".json"), json.dumps(card, indent=2) + "\n")
    return path
