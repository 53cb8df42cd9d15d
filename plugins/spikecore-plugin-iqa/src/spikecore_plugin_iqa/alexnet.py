"""The convolutional part of AlexNet as torchvision lays it out: five feature maps for LPIPS."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional

LAYERS = {  # name of the layer: shape of its weights, stride, padding, whether pooling precedes it
    "features.0": ((64, 3, 11, 11), 4, 2, False),
    "features.3": ((192, 64, 5, 5), 1, 2, True),
    "features.6": ((384, 192, 3, 3), 1, 1, True),
    "features.8": ((256, 384, 3, 3), 1, 1, False),
    "features.10": ((256, 256, 3, 3), 1, 1, False),
}
SMALLEST = 31
"""Pixels a side that leave one feature after both poolings."""

SHAPES = {f"{name}.weight": shape for name, (shape, *_) in LAYERS.items()} | {
    f"{name}.bias": shape[:1] for name, (shape, *_) in LAYERS.items()
}
"""Shapes of the tensors that `features` needs; the file's classifier is not needed."""


def features(images: torch.Tensor, weights: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    """Outputs (N, C, h, w) of the five rectified convolutions, C = 64, 192, 384, 256, 256, of images (N, 3, H, W)."""
    found = []
    for name, (_, stride, padding, pooled) in LAYERS.items():
        images = functional.max_pool2d(images, 3, 2) if pooled else images
        kernel, bias = (weights[f"{name}.{part}"].to(images) for part in ("weight", "bias"))
        images = functional.conv2d(images, kernel, bias, stride, padding).relu()
        found.append(images)
    return found
