"""Trained weights as plain safetensors that say what they are for, with a card that `spikecore.Weights` understands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikecore import Model, write_weights


def export(model: Model, path: Path, trained: Mapping[str, Any], training: str, scores: Mapping[str, float]) -> Path:
    """Write the bare network's weights to `path`, and a card NAME.json beside it; both atomically.

    Args:
        model: Whose `network` is written, under the keys of its state_dict.
        path: A name that ends in .safetensors.
        trained: The [model] of the experiment: which component the weights are for, under "use", and its options.
            Empty for a model that no experiment names; the file then holds tensors alone.
        training: One sentence, for the card.
        scores: Measured scores.
    """
    options = {name: value for name, value in trained.items() if name != "use"}
    made = {"component": trained["use"], "options": options, "training": training} if trained else {}
    return write_weights(path, model.network.state_dict(), made, training=training, scores=dict(scores))
