"""Fake models: a convolution over the mean of the window, and the same with one fault each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from spikecore import Batch, Sample, Stage, Window, collate
from spikecore_fakes.config import Windowed


class Convolution(nn.Module):
    """Right."""

    width = 2

    def __init__(self, config: Windowed) -> None:
        super().__init__()
        self.window = Window.centred(config.window)
        self.network: nn.Module = nn.Sequential(
            nn.Conv2d(1, self.width, 3, padding=1), nn.ReLU(), nn.Conv2d(self.width, 1, 1)
        )

    def forward(self, batch: Batch, /) -> Mapping[str, torch.Tensor]:
        """See `spikecore.plugin.interfaces.Model`."""
        return {"image": self.through(batch.spikes.tensor().mean(1, keepdim=True))}

    def through(self, mean: torch.Tensor) -> torch.Tensor:
        """What the wrong ones do differently."""
        return self.network(mean)

    def stages(self) -> Sequence[Stage]:
        """See `spikecore.plugin.interfaces.Model`."""
        return [Stage("all", epochs=1), Stage("last", steps=5, trains={"2.*": 1.0})]


class Walks(Convolution):
    """Right: offers a session that averages over its instants."""

    def session(self, sample: Sample) -> Walk:
        """A way through a recording."""
        return Walk(self, sample)


class Walk:
    """The mean of the window, averaged over the instants so far."""

    def __init__(self, model: Convolution, sample: Sample) -> None:
        self.model, self.sample = model, sample
        self.means: list[torch.Tensor] = []

    def outputs(self, at: int) -> Mapping[str, torch.Tensor]:
        """What the model gives of the average."""
        batch = collate([self.sample.around(self.model.window, at)]).to(next(self.model.parameters()).device)
        self.means.append(batch.spikes.tensor().mean(1, keepdim=True))
        return {"image": self.model.through(sum(self.means) / len(self.means))}


class WalksOn(Walks):
    """Keeps one session for all recordings."""

    walk: Walk | None = None

    def session(self, sample: Sample) -> Walk:
        self.walk = self.walk or Walk(self, sample)
        return self.walk


class WalksAstray(Walks):
    """Its session draws lots once it has begun."""

    def session(self, sample: Sample) -> Walk:
        return Stray(self, sample)


class Stray(Walk):
    """Adds noise, though little."""

    def outputs(self, at: int) -> Mapping[str, torch.Tensor]:
        noise = 0.01 * torch.rand(()) if self.means else 0.0
        return {"image": super().outputs(at)["image"] + noise}


class WalksAhead(Walks):
    """Its session begins with a state that forward does not have."""

    def session(self, sample: Sample) -> Walk:
        walk = Walk(self, sample)
        walk.means.append(torch.ones(()))
        return walk


class OutsideParameter(Convolution):
    """Trains a scale that is not saved with the network."""

    def __init__(self, config: Windowed) -> None:
        super().__init__(config)
        self.scale = nn.Parameter(torch.ones(()))

    def through(self, mean: torch.Tensor) -> torch.Tensor:
        return super().through(mean) * self.scale


class ForeignNetwork(Convolution):
    """Shows another network than it uses."""

    def __init__(self, config: Windowed) -> None:
        super().__init__(config)
        self.used = nn.Conv2d(1, 1, 1)
        nn.init.ones_(self.used.weight)
        nn.init.zeros_(self.used.bias)

    def through(self, mean: torch.Tensor) -> torch.Tensor:
        return self.used(mean)


class Detached(Convolution):
    """Cuts its first layer off."""

    def through(self, mean: torch.Tensor) -> torch.Tensor:
        first, *rest = self.network
        return nn.Sequential(*rest)(first(mean).detach())


class LeaksState(Convolution):
    """Keeps its membrane potential from call to call."""

    potential = 0.0

    def through(self, mean: torch.Tensor) -> torch.Tensor:
        self.potential = 0.5 * self.potential + float(mean.mean())
        return super().through(mean) + self.potential


class HiddenTensor(Convolution):
    """Uses a random tensor that is no parameter."""

    def __init__(self, config: Windowed) -> None:
        super().__init__(config)
        self.hidden = torch.rand(())

    def through(self, mean: torch.Tensor) -> torch.Tensor:
        return super().through(mean) + self.hidden.to(mean.device)


class NumpyWeights(Convolution):
    """Draws its weights with an unseeded generator."""

    def __init__(self, config: Windowed) -> None:
        super().__init__(config)
        nn.init.constant_(self.network[0].weight, np.random.default_rng().random())


class EndlessStage(Convolution):
    """Says neither steps nor epochs."""

    def stages(self) -> Sequence[Stage]:
        return [Stage("all")]


class MisnamedParameter(Convolution):
    """Trains what there is not."""

    def stages(self) -> Sequence[Stage]:
        return [Stage("all", steps=1, trains={"encoder.*": 1.0})]


class OtherName(Convolution):
    """Calls its image something else."""

    def forward(self, batch: Batch, /) -> Mapping[str, torch.Tensor]:
        return {"picture": super().forward(batch)["image"]}


class Wider(Convolution):
    """Its weights are those of another network."""

    width = 3
