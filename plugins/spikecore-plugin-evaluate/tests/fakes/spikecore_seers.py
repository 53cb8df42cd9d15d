"""A fake plugin of a model that gives an image and a label, with a source and a metric for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch

from spikecore import Component, Kind, PluginInfo, Sample, SpikeStream, Window, hookimpl, option

SIZE, LABEL, CLASSES = (16, 24), 2, 5


@attrs.frozen
class Nothing:
    """No options."""


@attrs.frozen
class File:
    """Options of the source; the file is not read."""

    path: Path = option(Path(), help="any")


class Labelled:
    """One clip of random spikes, with its class, and its picture of a quarter of a frame after the middle."""

    labels = ("cat", "dog", "owl", "fox", "hen")

    def __init__(self, config: File) -> None:
        pass

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int, /) -> Sample:
        if index:
            raise IndexError(index)
        spikes = np.random.default_rng(0).random((41, *SIZE)) < 0.5
        truth = np.full((1, *SIZE), 0.5, np.float32)
        stream = SpikeStream.from_frames(spikes)
        return Sample(key="clip", spikes=stream, target={"image": truth}, label=LABEL, at=20, delay=0.25)


class Seer(torch.nn.Module):
    """The mean of the window, and the class that its weights name."""

    window = Window.centred(21)

    def __init__(self, config: Nothing) -> None:
        super().__init__()
        self.network = torch.nn.Linear(1, CLASSES)
        self.labels: tuple[str, ...] = ()

    def set_labels(self, labels: tuple[str, ...]) -> None:
        """See `spikecore.SpikeSource`."""
        self.labels = labels

    def forward(self, batch: Any, /) -> dict[str, torch.Tensor]:
        image = batch.spikes.tensor().mean(1, keepdim=True)
        return {"image": image, "label": self.network(image.mean((2, 3)))}


class Clock:
    """Pictures as bright as the instant is far from a frame."""

    window = Window(21, 10, fractional=True)

    def __init__(self, config: Nothing) -> None:
        pass

    def reconstruct(self, batch: Any, /) -> torch.Tensor:
        return batch.spikes.tensor()[:, :1] * 0 + torch.as_tensor(batch.spikes.at)[:, None, None, None] % 1


class Blind(Clock):
    """Says always the same, and gives no picture."""

    def reconstruct(self, batch: Any, /) -> torch.Tensor:
        return torch.eye(CLASSES)[[LABEL] * len(batch)]


class Accuracy:
    """Per cent of labels that are right; takes whatever it is given."""

    higher_is_better = True

    def __init__(self, config: Nothing) -> None:
        self.reset()

    def reset(self) -> None:
        self.right, self.seen = 0, 0

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        found = preds.argmax(1) == target
        self.right, self.seen = self.right + int(found.sum()), self.seen + found.numel()

    def compute(self) -> float:
        return 100 * self.right / self.seen


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("a fake", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    here = "spikecore_seers"
    targets = ("image", "label")
    yield Component(
        Kind.SOURCE,
        "labelled",
        f"{here}:Labelled",
        File,
        "a fake",
        produces="spikes",
        targets=targets,
        patterns="*.labelled",
    )
    for name, produces in (("seer", ("image", "label")), ("teller", ("label", "image"))):
        yield Component(Kind.MODEL, name, f"{here}:Seer", Nothing, "a fake", consumes="spikes", produces=produces)
    for name, produces in (("clock", "image"), ("blind", "label")):
        target = f"{here}:{name.title()}"
        yield Component(Kind.RECONSTRUCTOR, name, target, Nothing, "a fake", consumes="spikes", produces=produces)
    yield Component(Kind.METRIC, "accuracy", f"{here}:Accuracy", Nothing, "a fake", consumes="label", targets="label")
