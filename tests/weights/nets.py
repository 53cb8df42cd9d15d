"""A network whose width is an option, in a package made by a test."""

from __future__ import annotations

import attrs
import torch

from spikecore.experiment.experiment import Experiment
from spikecore.plugin.options import option
from spikecore.weights.load import load_model
from spikecore.weights.settle import settled

NET = """
import torch
from spikecore import Imported, WeightsError, Window

class Net(torch.nn.Module):
    window = Window.centred(3)

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.network = torch.nn.Sequential(torch.nn.Conv2d(1, config.width, 1), torch.nn.Conv2d(config.width, 1, 1))

    def forward(self, batch):
        return {"image": self.network(batch.spikes.tensor().mean(1, keepdim=True)) * self.config.gain}

    def stages(self):
        return []

def imported(checkpoint):
    if "model" not in checkpoint:
        raise WeightsError("holds no 'model'")
    if checkpoint["epoch"] < 0:
        return "nothing"
    tensors = {key.replace("conv", ""): value for key, value in checkpoint["model"].items()}
    return Imported(tensors, {"width": len(tensors["0.bias"])})
"""


@attrs.frozen
class NetOptions:
    width: int = option(4, help="channels", validator=attrs.validators.ge(1))
    gain: float = option(1.0, help="of the output")
    speed: int = option(1, help="how it is used", adjustable=True)


def tensors_of(width, value=0.5):
    """Those of a net of that width."""
    shapes = {"0.weight": (width, 1, 1, 1), "0.bias": (width,), "1.weight": (1, width, 1, 1), "1.bias": (1,)}
    return {key: torch.full(shape, value) for key, shape in shapes.items()}


def foreign(width, prefix="conv"):
    """A checkpoint as another project writes it."""
    return {"model": {f"{prefix}{key}": value for key, value in tensors_of(width).items()}, "epoch": 3}


def bind(host, name="net", weights="", **options):
    """An experiment with the net, as its user states it."""
    return Experiment.from_dict({"model": {"use": f"fake/{name}", **options}, "run": {"weights": weights}}, host)


def settle(host, name="net", weights="", **options):
    """The same with its weights found, and the options that they need."""
    return settled(bind(host, name, weights, **options))


def trained(host, name="net", weights="", **options):
    """The net with its weights."""
    return load_model(host, bind(host, name, weights, **options).parts["model"], weights)
