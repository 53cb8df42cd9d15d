"""What the runner takes from nobody on trust."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spikecore.data.batch import collate
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.data.spikes import SpikeStream
from spikecore.errors import PluginError
from spikecore.experiment.run_config import RunConfig
from spikecore.runner.execute import execute
from spikecore.runner.method import Method
from spikecore.runner.trust import checked

from .mean import expected, experiment

BROKEN = {
    "list": r"list, expected a tensor",
    "other kind": r"gave depth, expected a result of kind image",
    "item too many": r"shape \(2, 1, 24, 32\), expected \(1, C, 24, 32\)",
    "no channels": r"shape \(1, 24, 32\), expected \(1, C, 24, 32\)",
    "narrow": r"shape \(1, 1, 24, 31\)",
    "twice as wide": r"shape \(1, 1, 24, 64\)",
    "nan": r"1 of 768 values that are NaN",
    "infinite": r"1 of 768 values that are NaN or infinite",
    "quit": r"failed: SystemExit: enough",
    "quit at once": r"SystemExit: no licence",
    "pretend": r"failed: KeyboardInterrupt",
    "own kind": r"failed: Odd: of its own",
    "stumble": r"failed: IndexError: off the edge",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_promise_is_reported_with_the_id_of_who_broke_it(host, tmp_path, fault):
    with pytest.raises(PluginError, match=rf"fake/mean.*{BROKEN[fault]}"):
        execute(experiment(host, options={"fault": fault}, output=str(tmp_path / "v.npy")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ["array", "by kind"])
def test_arrays_and_results_by_kind_are_taken_too(host, tmp_path, way):
    execute(experiment(host, options={"fault": way}, output=str(tmp_path / "v.npy")))
    assert np.allclose(np.load(tmp_path / "v.npy"), expected(host), atol=1e-6)


@pytest.mark.parametrize("fault", ["nan", "narrow", "stumble"])
def test_sessions_are_not_trusted_either(host, tmp_path, fault):
    with pytest.raises(PluginError, match="fake/mean"):
        execute(experiment(host, options={"fault": fault, "session": True}, output=str(tmp_path / "v.npy")))


def test_pictures_may_be_whole_times_larger(host, tmp_path):
    execute(experiment(host, options={"fault": "twice as large"}, output=str(tmp_path / "v.npy")))
    assert np.load(tmp_path / "v.npy").shape == (36, 48, 64)


def test_depth_may_be_unknown_but_not_infinite(host):
    batch = collate([Sample(key="s", spikes=SpikeStream.from_frames(np.zeros((3, 4, 8), bool)))]).to("cpu")
    method = Method(host.find("fake/depth"), None, Data.DEPTH, RunConfig())
    depth = torch.full((1, 1, 4, 8), float("nan"))
    assert np.isnan(checked(depth, method, batch)[Data.DEPTH]).all()
    for wrong in (torch.full_like(depth, float("inf")), torch.ones(1, 2, 4, 8), torch.ones(1, 1, 8, 16)):
        with pytest.raises(PluginError, match="of kind depth"):
            checked(wrong, method, batch)
