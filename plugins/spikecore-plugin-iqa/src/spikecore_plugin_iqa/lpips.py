"""LPIPS: distance in the features of a network (Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from spikecore import UsageError, WeightsError, load_tensors
from spikecore_plugin_iqa import alexnet
from spikecore_plugin_iqa.config import LpipsConfig
from spikecore_plugin_iqa.files import Needed, located
from spikecore_plugin_iqa.metric import FullReference

BACKBONE = ("alexnet-owt-7be5be79.pth", "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth")
HEADS = (
    "alex.pth",
    "https://github.com/richzhang/PerceptualSimilarity (lpips/weights/v0.1/alex.pth)",
)
HEAD_SHAPES = {
    f"lin{index}.model.1.weight": (1, shape[0], 1, 1) for index, (shape, *_) in enumerate(alexnet.LAYERS.values())
}
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class Lpips(FullReference):
    """Mean over images of the learned perceptual distance, AlexNet, version 0.1: 0 for equal images, lower is better.

    Grey images are taken as three equal channels; images are mapped from [0, 1] to [-1, 1] and normalised as by the
    authors. Computed in float64, on images of at least 31 pixels a side.

    Raises:
        Unavailable: If the backbone or the heads are neither given nor in torch's hub cache.
        WeightsError: If a file does not hold the expected tensors.
    """

    higher_is_better = False

    def __init__(self, config: LpipsConfig) -> None:
        super().__init__(config.crop)
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        backbone, heads = located(
            "iqa/lpips",
            [Needed("weights", config.weights, *BACKBONE, cache), Needed("heads", config.heads, *HEADS, cache)],
        )
        self.backbone = _read(backbone, alexnet.SHAPES)
        self.heads = _read(heads, HEAD_SHAPES)

    def scores(self, images: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Σ over layers of the mean over pixels of wᵀ (f̂1 - f̂2)², f̂ normalised to length 1 across channels (eq. 1)."""
        height, width = images.shape[-2:]
        if min(height, width) < alexnet.SMALLEST:
            raise UsageError(f"LPIPS of {height}x{width} pixels; AlexNet needs {alexnet.SMALLEST} a side")
        total = images.new_zeros(len(images))
        pairs = zip(self._features(images), self._features(truth), self.heads.values(), strict=True)
        for first, second, head in pairs:
            total += ((first - second).square() * head.to(first)).sum(1).mean((1, 2))
        return total

    def _features(self, images: torch.Tensor) -> list[torch.Tensor]:
        shift, scale = (images.new_tensor(part).view(1, 3, 1, 1) for part in (SHIFT, SCALE))
        inputs = (2 * images.expand(-1, 3, -1, -1) - 1 - shift) / scale
        found = alexnet.features(inputs, self.backbone)
        return [one / (one.square().sum(1, keepdim=True).sqrt() + 1e-10) for one in found]


def _read(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """The tensors of these names and shapes, float64, in this order; what else the file holds is left."""
    held = load_tensors(path)
    for key, shape in shapes.items():
        found = tuple(held[key].shape) if key in held else "missing"
        if found != shape:
            raise WeightsError(f"{path}: tensor {key!r} is {found}, expected {shape}; is it the right file?")
    return {key: held[key].double() for key in shapes}
