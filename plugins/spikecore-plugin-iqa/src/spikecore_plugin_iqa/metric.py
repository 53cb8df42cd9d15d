"""What all metrics here have in common: scores of single images, and their mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch

from spikecore import UsageError
from spikecore_plugin_iqa.config import Display
from spikecore_plugin_iqa.pictures import checked, checked_pair, displayed


class MeanOverImages(ABC):
    """Accumulates the mean of the scores of images."""

    higher_is_better: ClassVar[bool]

    def __init__(self, crop: int) -> None:
        self.crop = crop
        self.reset()

    @abstractmethod
    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        """Take in one batch (N, C, H, W)."""

    def compute(self) -> torch.Tensor:
        """The mean over all images since the last reset, a float64 scalar."""
        if not self._images:
            raise UsageError(f"{type(self).__name__} of no images; call update first")
        return torch.tensor(self._total / self._images, dtype=torch.float64)

    def reset(self) -> None:
        """Forget everything."""
        self._total, self._images = 0.0, 0

    def _add(self, scores: torch.Tensor) -> None:
        self._total += float(scores.sum())
        self._images += len(scores)


class FullReference(MeanOverImages):
    """A metric of images and their ground truth, both clipped to [0, 1] first."""

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        """Take in one batch of images (N, C, H, W) and their ground truth, with 1 or 3 channels.

        Raises:
            UsageError: If sizes differ, values are not finite, or the images are too small.
        """
        images, truth = checked_pair(preds, target, self.crop)
        if len(images):
            self._add(self.scores(images, truth))

    @abstractmethod
    def scores(self, images: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """The score of each image: float64 (N, C, H, W) in [0, 1] twice to (N,)."""


class NoReference(MeanOverImages):
    """A metric of images alone, brought into [0, 1] as `display` says."""

    def __init__(self, crop: int, display: Display) -> None:
        super().__init__(crop)
        self.display = display

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        """Take in one batch of images (N, C, H, W) with 1 or 3 channels; `target` is ignored.

        Raises:
            UsageError: If values are not finite, or the images are too small or too flat to be judged.
        """
        images = checked(preds, self.crop)
        if len(images):
            self._add(self.scores(displayed(images, self.display)))

    @abstractmethod
    def scores(self, images: torch.Tensor) -> torch.Tensor:
        """The score of each image: float64 (N, C, H, W) in [0, 1] to (N,)."""
