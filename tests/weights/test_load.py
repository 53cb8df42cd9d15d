"""Weights into a network, strictly."""

from __future__ import annotations

import pytest
import torch

from spikecore.errors import WeightsError
from spikecore.weights.load import load_network


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.network = torch.nn.Conv2d(1, 1, 3, padding=1, bias=False)


def test_weights_that_do_not_fit_are_refused_with_the_keys(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    save_file({"weight": torch.zeros(2, 1, 3, 3), "extra": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"unexpected extra; weight is \(2, 1, 3, 3\), expected \(1, 1, 3, 3\)"):
        load_network(Tiny(), path)
    save_file({"weight": torch.ones(1, 1, 3, 3)}, path)
    model = Tiny()
    load_network(model, path)
    assert model.network.weight.min() == 1
