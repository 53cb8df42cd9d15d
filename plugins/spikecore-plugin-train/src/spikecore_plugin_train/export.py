"""Trained weights as plain safetensors that say what they are for, with a card that `spikecore.Weights` understands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikecore.config import read_table
from spikecore.interfaces import Model
from spikecore.record import record_path
from spikecore.weights import write


def export(model: Model, path: Path, training: str, scores: Mapping[str, float]) -> Path:
    """Write the bare network's weights to `path`, and a card NAME.json beside it; both atomically.

    The run.json of the training, in the same folder, says which component they are for and which options it has.
    Without one, as for a model that no experiment names, the file holds tensors alone.

    Args:
        model: Whose `network` is written, under the keys of its state_dict.
        path: A name that ends in .safetensors.
        training: One sentence, for the card.
        scores: Measured scores.
    """
    trained = _trained(path.parent)
    made = {"component": trained.pop("use"), "options": trained, "training": training} if trained else {}
    return write(path, model.network.state_dict(), made, training=training, scores=dict(scores))


def _trained(folder: Path) -> dict[str, Any]:
    """The [model] of the experiment that is trained in a folder, empty if there is none."""
    path = record_path(folder)
    recipe = read_table(path) if path.is_file() else {}
    return dict(recipe.get("experiment", {}).get("model", {}))
