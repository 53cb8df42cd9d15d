"""The official data set's items, draw by draw."""

from __future__ import annotations

import numpy as np
import pytest
from spikecore_plugin_ssml.official import official_item, quantised_labels, turned

import spikecore as sc

SEEDS = {0: 0, 1: 1, 2: 2, 3: 0, 5: 1, 8: 2}


@pytest.fixture
def stream():
    frames = np.random.default_rng(0).random((45, 250, 400)) < 0.3
    return sc.SpikeStream.from_frames(frames)


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_and_draws_are_those_of_the_official_program(golden, stream, seed):
    file = golden("dataset_items.npz")
    tag = f"s{seed}_i{SEEDS[seed]}"
    spikes = np.unpackbits(file[f"{tag}_spk_packed"], axis=-1, bitorder="little")[..., :40]
    assert np.array_equal(quantised_labels(spikes), file[f"{tag}_tfi"])
    item = official_item(stream, np.random.RandomState(seed))
    assert [item.row, item.column, item.mode] == file[f"{tag}_row_col_mode"].tolist()


def test_an_item_is_a_turned_crop_with_its_labels(stream):
    frames = stream.unpack()
    for seed in range(12):
        item = official_item(stream, np.random.RandomState(seed), crop=24)
        crop = frames[:41, item.row : item.row + 24, item.column : item.column + 24]
        assert np.array_equal(item.spikes, turned(crop, item.mode))
        assert np.array_equal(item.tfi, turned(quantised_labels(np.ascontiguousarray(crop)), item.mode))
        assert np.array_equal(item.tfi * 255, np.round(item.tfi * 255))


def test_the_eight_modes():
    x = np.arange(12).reshape(3, 4)
    wanted = [
        x,
        x[::-1],
        x.T[::-1],
        x.T,
        x[::-1, ::-1],
        x[:, ::-1],
        x.T[:, ::-1],
        x.T[::-1, ::-1],
    ]
    for mode, picture in enumerate(wanted):
        assert np.array_equal(turned(x, mode), picture), mode


def test_whole_pictures_and_recordings_too_small(stream):
    item = official_item(stream, np.random.RandomState(0), crop=0)
    assert sorted(item.spikes.shape[1:]) == [250, 400]
    with pytest.raises(sc.UsageError, match="45 frames of 250x400, too few for 41 of 300x300"):
        official_item(stream, np.random.RandomState(0), crop=300)
    with pytest.raises(sc.UsageError, match="30 frames"):
        official_item(stream[:30], np.random.RandomState(0))
