"""Tiles give what the whole picture gives."""

from __future__ import annotations

import pytest
import torch
from spikecore_plugin_ssml.blocks import BlindUNet
from spikecore_plugin_ssml.config import NbsnConfig, Variant
from spikecore_plugin_ssml.model import Nbsn
from spikecore_plugin_ssml.tiles import in_exact_tiles

import spikecore as sc

from .conftest import batch_of, enlivened, random_spikes


@pytest.fixture(scope="module")
def network():
    return enlivened(BlindUNet(5, 1, blind=False))


@pytest.mark.parametrize(("size", "side"), [((97, 110), 48), ((60, 61), 32), ((30, 30), 100)])
@torch.no_grad()
def test_tiles_with_a_margin_of_40_are_the_whole_picture(network, size, side):
    spikes = random_spikes(1, 5, *size)
    whole = network(spikes)
    tiles = in_exact_tiles(network, spikes, side)
    assert tiles.shape == whole.shape
    assert float((tiles - whole).abs().max()) <= 1e-5 * float(whole.abs().max())


@torch.no_grad()
def test_a_margin_too_small_is_not(network):
    spikes = random_spikes(1, 5, 97, 130)
    difference = (in_exact_tiles(network, spikes, 48, margin=8) - network(spikes)).abs()
    assert float(difference.max()) > 1e-3 * float(network(spikes).abs().max())


@torch.no_grad()
def test_a_pixel_is_seen_from_36_pixels_at_most(network):
    spikes = random_spikes(1, 5, 160, 8)
    before = network(spikes)
    spikes[:, :, 80] = 1 - spikes[:, :, 80]
    rows = (network(spikes) != before).any(dim=3)[0, 0].nonzero().flatten()
    assert 30 <= max(80 - int(rows.min()), int(rows.max()) - 80) <= 36


def test_tiles_off_the_grid_are_refused(network):
    for side, margin in ((50, 40), (48, 38), (0, 40)):
        with pytest.raises(sc.UsageError, match="must be multiples of 4"):
            in_exact_tiles(network, torch.zeros(1, 5, 60, 60), side, margin)


@torch.no_grad()
def test_the_model_computes_in_tiles_where_asked():
    whole, tiled = Nbsn(NbsnConfig(Variant.A)).eval(), Nbsn(NbsnConfig(Variant.A, tile=32)).eval()
    enlivened(whole.network)
    tiled.network.load_state_dict(whole.network.state_dict())
    batch = batch_of(*random_spikes(2, 41, 60, 45))
    wanted = whole(batch)["image"]
    assert float((tiled(batch)["image"] - wanted).abs().max()) <= 1e-5 * float(wanted.abs().max())


def test_tiles_that_would_not_be_exact_are_refused():
    with pytest.raises(sc.UsageError, match="tile=64 is exact for variant a alone"):
        Nbsn(NbsnConfig(tile=64))
    with pytest.raises(sc.UsageError, match="must be multiples of 4"):
        Nbsn(NbsnConfig(Variant.A, tile=6)).eval()(batch_of(*random_spikes(1, 41, 8, 8)))
