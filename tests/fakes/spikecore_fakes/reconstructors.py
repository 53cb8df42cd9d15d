"""Fake reconstructors: the mean of the window, and the mean with one fault each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from spikecore import Batch, SpikeStream, Window
from spikecore_fakes.config import Windowed


class Mean:
    """Right: the mean of the window."""

    def __init__(self, config: Windowed) -> None:
        self.window = Window.centred(config.window)

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """See `spikecore.plugin.interfaces.Reconstructor`."""
        return self.spoil(batch.spikes.tensor().mean(1, keepdim=True))

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        """What the wrong ones do to the right image."""
        return image


class SlidingMean(Mean):
    """Right: offers a session."""

    def session(self, stream: SpikeStream) -> Session:
        """Images of one recording."""
        return Session(self, stream)


class Session:
    """Counts of every window of a recording, made once."""

    late = 0

    def __init__(self, method: Mean, stream: SpikeStream) -> None:
        self.length, self.anchor = method.window.length, method.window.anchor
        self.counts = stream.sliding_counts(self.length)

    def image(self, at: int) -> np.ndarray:
        """The image at an instant."""
        first = max(at - self.anchor - self.late, 0)
        return (self.counts[first] / np.float32(self.length)).astype(np.float32)


class EventsToDepth(Mean):
    """Right: "depth" from the events of two cameras."""

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """See `spikecore.plugin.interfaces.Reconstructor`."""
        left, right = (camera.frames([0, 5_000, 10_000]).sum((1, 2))[:, None] for camera in batch.events)
        return 1 / (1 + (left - right).abs())


class ImageAndDepth(Mean):
    """Right: two kinds of result."""

    def reconstruct(self, batch: Batch, /) -> Mapping[str, torch.Tensor]:
        """See `spikecore.plugin.interfaces.Reconstructor`."""
        image = super().reconstruct(batch)
        return {"depth": 1 + image, "image": image, "certainty": image.mean()}


class EventsInTime(Mean):
    """Right: "depth" from two milliseconds of events."""

    def __init__(self, config: Windowed) -> None:
        self.window = Window(2000, 1000, unit="us")

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """See `spikecore.plugin.interfaces.Reconstructor`."""
        assert all(0 <= stream.t[0] <= stream.t[-1] < 2000 for stream in batch.events[0].streams if len(stream))
        return 1 + batch.events[0].frames([0, 2000]).sum((1, 2))[:, None]


class FramesToVideo(Mean):
    """Right: frames, brighter where there are spikes."""

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """See `spikecore.plugin.interfaces.Reconstructor`."""
        return batch.frames + batch.spikes.counts()[:, None] / 1000


class MutatesFrames(FramesToVideo):
    """Changes the frames it was given."""

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """See `spikecore.plugin.interfaces.Reconstructor`."""
        return super().reconstruct(batch) + 0 * batch.frames.mul_(0.5)


class ImitatedWindow(Mean):
    """Its window only looks like one."""

    def __init__(self, config: Windowed) -> None:
        self.window = Imitation(Window.centred(config.window))


class Imitation:
    """Everything a window has but the type."""

    def __init__(self, window: Window) -> None:
        self.window_itself = window

    def __getattr__(self, name: str) -> Any:
        return getattr(self.window_itself, name)


class EvenSizes(Mean):
    """Drops the last row and column of odd sizes."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        height, width = image.shape[-2:]
        return image[..., : height - height % 2, : width - width % 2]


class DoublePrecision(Mean):
    """Gives float64."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image.double()


class DividesByZero(Mean):
    """Normalises each image and undoes it, which fails in the dark."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        highest = image.amax((1, 2, 3), keepdim=True)
        return image / highest * highest


class CouplesBatch(Mean):
    """Normalises by the maximum of the whole batch."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image / image.amax().clamp(min=1e-6)


class MutatesSpikes(Mean):
    """Erases the spikes once it has read them."""

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        image = super().reconstruct(batch)
        for stream in batch.spikes.streams:
            stream.packed[:] = 0
        return image


class Remembers(Mean):
    """Gets darker from call to call."""

    calls = 0

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return image * 0.999**self.calls


class IsRandom(Mean):
    """Adds noise, though little."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image * (1 - 0.001 * torch.rand(()))


class WantsGradients(Mean):
    """Takes one step of gradient descent on nothing."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            guess = image.clone().requires_grad_()
            (0 * guess.square()).sum().backward()
            return (guess - guess.grad).detach()


class Elsewhere(Mean):
    """Gives a tensor on a device of its own choice."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image.to("meta")


class AlwaysCpu(Mean):
    """Gives a tensor on the CPU, wherever the batch is."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image.cpu()


class EightBit(Mean):
    """Gives grey levels."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image * 255


class Negative(Mean):
    """Gives less than no light."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image - 0.5


class HalfRate(Mean):
    """Is off by a factor."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image / 2


class UpsideDown(Mean):
    """Gives the last row first."""

    def spoil(self, image: torch.Tensor) -> torch.Tensor:
        return image.flip(-2)


class LateSession(Mean):
    """Its session is one frame behind."""

    def session(self, stream: SpikeStream) -> Session:
        """Images of one recording, late."""
        session = Session(self, stream)
        session.late = 1
        return session
