"""A blind network does not see the pixel it predicts."""

from __future__ import annotations

import pytest
import torch
from spikecore_plugin_ssml.blocks import Rotate, Unrotate, rotations, rotations_undone
from spikecore_plugin_ssml.config import Padding, Variant
from spikecore_plugin_ssml.variants import build_branch

import spikecore as sc

from .conftest import enlivened, random_spikes

SQUARE, WIDE, TALL = (16, 16), (13, 18), (19, 12)


@torch.no_grad()
def leak(variant: Variant, size: tuple[int, int], padding: Padding = Padding.OWN, branch: str = "bsn") -> list[float]:
    """How much the output at a pixel changes, relative to its largest value, when all its spikes are flipped."""
    network = enlivened(build_branch(variant, branch, padding)).double()
    spikes = random_spikes(1, 41, *size).double()
    height, width = size
    before = network(spikes)
    found = []
    for y, x in ((0, 0), (height - 1, width - 1), (height // 2, width // 3), (height - 2, 1), (1, width - 2)):
        flipped = spikes.clone()
        flipped[:, :, y, x] = 1 - flipped[:, :, y, x]
        after = network(flipped)
        assert not torch.equal(before, after), "the network sees nothing at all"
        found.append(float((before - after)[0, 0, y, x].abs() / before.abs().max()))
    return found


@pytest.mark.parametrize("variant", [Variant.A, Variant.B, Variant.C])
@pytest.mark.parametrize(("size", "padding"), [(SQUARE, Padding.OWN), (WIDE, Padding.ZERO), (TALL, Padding.ZERO)])
def test_a_pixels_spikes_do_not_reach_its_own_result(variant, size, padding):
    assert leak(variant, size, padding) == [0.0] * 5


@pytest.mark.parametrize("size", [SQUARE, WIDE, TALL])
def test_variant_e_is_blind_at_any_size(size):
    assert leak(Variant.E, size) == [0.0] * 5


def test_variant_a_pads_with_zeros_by_itself():
    assert leak(Variant.A, WIDE) == [0.0] * 5


@pytest.mark.parametrize(("variant", "size"), [(Variant.B, WIDE), (Variant.D, SQUARE)])
def test_what_the_originals_do_not_hide(variant, size):
    assert max(leak(variant, size)) > 0


@pytest.mark.parametrize("variant", Variant)
def test_the_other_network_sees_every_pixel(variant):
    assert min(leak(variant, SQUARE, branch="nbsn")) > 0


def test_turns_are_undone():
    x = torch.arange(2 * 3 * 5 * 5.0).view(2, 3, 5, 5)
    assert torch.equal(rotations_undone(rotations(x)), torch.cat([x] * 4, dim=1))
    assert torch.equal(Unrotate()(Rotate()(x)), torch.cat([x] * 4, dim=1))
    assert torch.equal(rotations(x)[2:4], x.transpose(2, 3).flip(3))


@pytest.mark.parametrize("variant", [Variant.B, Variant.D])
def test_pictures_too_long_to_be_reflected_are_refused(variant):
    network = build_branch(variant, "bsn")
    with pytest.raises(sc.UsageError, match=r'8x40 is too long to be reflected into a square; padding = "zero"'):
        network(torch.zeros(1, 41, 8, 40))
    assert build_branch(variant, "bsn", Padding.ZERO)(torch.zeros(1, 41, 8, 40)).shape == (1, 1, 8, 40)
