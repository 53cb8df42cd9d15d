from __future__ import annotations

import cv2
import numpy as np
import pytest

import spikecore as sc
from spikecore.testing import SourceContract


class TestDat(SourceContract):
    component = "vidar/dat"

    @pytest.fixture
    def settings(self, tmp_path, scene):
        path = sc.save(scene(400), tmp_path / "clip.dat")
        return {"path": str(path), "height": 64, "width": 96}


class TestNpz(SourceContract):
    component = "vidar/npz"

    @pytest.fixture
    def settings(self, tmp_path, scene):
        return {"path": str(sc.save(scene(400), tmp_path / "clip.npz"))}


class TestNpy(SourceContract):
    component = "vidar/npy"

    @pytest.fixture
    def settings(self, tmp_path, scene):
        return {"path": str(sc.save(scene(400), tmp_path / "clip.npy"))}


class TestHdf5(SourceContract):
    component = "vidar/hdf5"

    @pytest.fixture
    def settings(self, tmp_path, scene):
        return {"path": str(sc.save(scene(400), tmp_path / "clip.h5"))}


class TestFolder(SourceContract):
    component = "vidar/folder"

    @pytest.fixture
    def settings(self, tmp_path, scene):
        (tmp_path / "spike").mkdir()
        (tmp_path / "gt").mkdir()
        for number in (1, 2):
            sc.save(scene(400, seed=number), tmp_path / "spike" / f"{number}_key_id201.dat")
            picture = np.full((64, 96), 100 * number, np.uint8)
            cv2.imwrite(str(tmp_path / "gt" / f"{number}_key_id201.png"), picture)
        return {"path": str(tmp_path)}
