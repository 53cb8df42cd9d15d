"""Progress on the terminal."""

from __future__ import annotations

from pathlib import Path

from spikecore.cli.progress import Progress
from spikecore.plugin.run_info import RunInfo


def test_progress_tells_of_checkpoints_alone(capsys):
    shown = Progress()
    info = RunInfo("train", "a training", 3)
    for name in ("step-7.pt", "weights.safetensors", "losses.csv", "validation.png", "v.mp4"):
        shown.spikecore_checkpoint_saved(info, Path(name))
    said = capsys.readouterr().err
    assert said == "a training: saved step-7.pt\na training: saved weights.safetensors\n"
