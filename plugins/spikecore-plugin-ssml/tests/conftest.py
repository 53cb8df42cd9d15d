"""Fixtures of the plugin's tests."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import spikecore as sc


@pytest.fixture
def golden(shared):
    """Opens a file of arrays that the original programs gave."""
    return lambda name: np.load(shared / "golden" / "ssml" / name)


def unpacked(packed: np.ndarray, width: int) -> torch.Tensor:
    """Spikes packed along the last axis as float32."""
    return torch.from_numpy(np.unpackbits(packed, axis=-1, bitorder="little")[..., :width]).float()


def random_spikes(*shape: int, rate: float = 0.3, seed: int = 0) -> torch.Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


def enlivened(network: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Random weights that keep the size of what passes: a fresh deep network without biases gives nearly zero."""
    generator = torch.Generator().manual_seed(seed)
    for value in network.state_dict().values():
        scale = (2 / max(value[0].numel(), 1)) ** 0.5 if value.ndim == 4 else 0.5
        value.copy_(torch.randn(value.shape, generator=generator) * scale)
    return network.eval()


def batch_of(*items: torch.Tensor, at: int | None = None) -> sc.Batch:
    """Tensors (T, H, W) side by side."""
    streams = [sc.SpikeStream.from_frames(item.numpy().astype(bool)) for item in items]
    samples = [sc.Sample(key=f"item-{n}", spikes=stream, at=at) for n, stream in enumerate(streams)]
    return sc.collate(samples).to("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    """Small pictures: threads cost more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
