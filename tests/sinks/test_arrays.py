from __future__ import annotations

import h5py
import numpy as np
import pytest

from spikecore import Target
from spikecore.data.kinds import Data
from spikecore.sinks.open import open_sink

SHAPES = {
    Data.IMAGE: (18, 24),
    Data.DEPTH: (1, 18, 24),
    Data.FLOW: (2, 18, 24),
    Data.LABEL: (7,),
    Data.FEATURES: (4, 3),
}


@pytest.fixture(params=SHAPES)
def kind(request):
    return request.param


@pytest.fixture
def results(kind):
    values = np.random.default_rng(1).normal(size=(5, *SHAPES[kind])).astype(np.float32)
    if kind in (Data.DEPTH, Data.FLOW):
        values[:, :, 3] = np.nan
    return values


def test_npy_is_exact(tmp_path, write, kind, results):
    path = write(tmp_path / "v.npy", results, kind=kind).commit()
    assert np.array_equal(np.load(path, allow_pickle=False), results, equal_nan=True)


def test_npy_keeps_colours(tmp_path, pictures, write):
    path = write(tmp_path / "v.npy", pictures(channels=3)).commit()
    assert np.array_equal(np.load(path, allow_pickle=False), np.array(list(pictures(channels=3))))


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_hdf5_is_exact_and_carries_its_recipe(tmp_path, write, suffix, kind, results):
    path = write(tmp_path / f"v{suffix}", results, kind=kind, attributes={"recipe": "{}"}).commit()
    with h5py.File(path) as file:
        assert np.array_equal(file["images"][:], results, equal_nan=True)
        assert file["images"].dtype == np.float32
        assert file["instants"][:].tolist() == [0, 10, 20, 30, 40]
        assert file["images"].fletcher32
        assert file.attrs["recipe"] == "{}"
        assert "labels" not in file


@pytest.mark.parametrize(
    ("instants", "dtype"), [([1, 2], np.int64), ([1.0, 2.0], np.int64), ([1, 2.25], np.float64), ([0.5], np.float64)]
)
def test_hdf5_instants_are_whole_numbers_if_they_can_be(tmp_path, pictures, instants, dtype):
    sink = open_sink(None, Target(tmp_path / "v.h5", len(instants)))
    for instant, picture in zip(instants, pictures(), strict=False):
        sink.write(instant, picture)
    with h5py.File(sink.commit()) as file:
        assert file["instants"].dtype == dtype
        assert file["instants"][:].tolist() == instants


def test_hdf5_names_the_classes(tmp_path, write):
    scores = np.zeros((5, 2), np.float32)
    path = write(tmp_path / "v.h5", scores, kind=Data.LABEL, labels=("cat", "chien à poil")).commit()
    with h5py.File(path) as file:
        assert file["labels"].asstr()[:].tolist() == ["cat", "chien à poil"]
