"""The first layers of VGG19, up to relu3_3, with weights from a file.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from spikecore import WeightsError, load_tensors

PLAN = (64, 64, "pool", 128, 128, "pool", 256, 256, 256)
"""Channels of the convolutions, each followed by a ReLU; torchvision numbers all of them: 0, 2, 5, 7, 10, 12, 14."""

_LAST = 14
_TRY = (
    "  try: weights=FILE (the original's vgg19-conv.pth or torchvision's vgg19-dcbb9e9d.pth), "
    "or download=true where torchvision is installed and may reach the internet"
)


def features() -> nn.Sequential:
    """The layers, with random weights; (N, 3, H, W) → (N, 256, H // 4, W // 4)."""
    layers: list[nn.Module] = []
    channels = 3
    for step in PLAN:
        if isinstance(step, int):
            layers += [nn.Conv2d(channels, step, 3, padding=1), nn.ReLU()]
            channels = step
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def distance(network: nn.Module, image: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The mean (features(image) - features(truth))² of grey pictures (N, 1, H, W) in -1..1, as three equal colours.

    As in the original they are not scaled by ImageNet's mean and deviation.
    """
    with torch.no_grad():
        wanted = network(truth.expand(-1, 3, -1, -1))
    result: torch.Tensor = (network(image.expand(-1, 3, -1, -1)) - wanted).square().mean()
    return result


def load_features(path: Path | None, download: bool) -> nn.Sequential:
    """The layers with trained weights, frozen.

    Raises:
        WeightsError: If there is neither a file nor a download, or the file is not of a VGG19; lists what differs.
    """
    if path is not None:
        held, where = dict(load_tensors(path)), str(path)
    elif download:
        held, where = dict(_downloaded()), "torchvision's VGG19"
    else:
        raise WeightsError(f"spikling/vgg needs the weights of a VGG19, which are not shipped\n{_TRY}")
    network = features()
    wanted = {f"features.{name}": value for name, value in network.state_dict().items()}
    faults = [f"missing {name}" for name in wanted if name not in held]
    faults += [f"unexpected {name}" for name in held if name not in wanted and not _deeper(name)]
    faults += [
        f"{name} is {tuple(held[name].shape)}, expected {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in held and held[name].shape != value.shape
    ]
    if faults:
        more = f" and {len(faults) - 4} more" if len(faults) > 4 else ""
        raise WeightsError(f"{where} holds no weights of a VGG19: {'; '.join(faults[:4])}{more}\n{_TRY}")
    network.load_state_dict({name.removeprefix("features."): held[name] for name in wanted})
    return network.eval().requires_grad_(False)


def _deeper(name: str) -> bool:
    """True for layers of a whole VGG19 that are not needed here."""
    part, _, rest = name.partition(".")
    number = rest.partition(".")[0]
    return part == "classifier" or (part == "features" and number.isdigit() and int(number) > _LAST)


def _downloaded() -> Mapping[str, torch.Tensor]:
    try:
        models: Any = import_module("torchvision.models")
    except ImportError:
        raise WeightsError(f"downloading VGG19 needs torchvision\n  try: pip install torchvision, or\n{_TRY}") from None
    try:
        held: Mapping[str, torch.Tensor] = models.VGG19_Weights.IMAGENET1K_V1.get_state_dict(
            progress=False, check_hash=True
        )
    except (OSError, RuntimeError) as error:  # no network, or not the file that was asked for
        raise WeightsError(f"VGG19 could not be downloaded: {error}\n{_TRY}") from error
    return held
