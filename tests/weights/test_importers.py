"""Checkpoints of other projects."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from spikecore.errors import ConfigError, PluginError, WeightsError
from spikecore.runner.record import record
from spikecore.weights.find import cache_folder, imported_paths, imported_weights, locate
from spikecore.weights.load import import_weights

from .nets import NetOptions, foreign, settle, tensors_of, trained


def test_an_importer_reads_foreign_checkpoints(nets, tmp_path):
    torch.save(foreign(5), tmp_path / "theirs.pth")
    result = trained(nets, weights=str(tmp_path / "theirs.pth"), gain=2.0)
    assert result.bound.config == NetOptions(5, 2.0)
    assert result.weights == sha256((tmp_path / "theirs.pth").read_bytes()).hexdigest()
    with pytest.raises(ConfigError, match=r"width=4 was given, but .*theirs.pth were made with width=5"):
        settle(nets, weights=str(tmp_path / "theirs.pth"), width=4)
    assert record(settle(nets, weights=str(tmp_path / "theirs.pth")))["experiment"]["model"]["width"] == 5


@pytest.mark.parametrize(
    ("checkpoint", "error", "message"),
    [
        ({"weights": {}}, WeightsError, "odd.pth: holds no 'model'"),
        ({"model": {}}, WeightsError, "odd.pth is not for fake/net: KeyError: 'epoch'"),
        ({**foreign(4), "epoch": -1}, PluginError, "gave 'nothing', expected a spikecore Imported"),
        ({"model": tensors_of(4, float("nan")), "epoch": 3}, WeightsError, "holds NaN"),
        ({"model": {"0.bias": torch.ones(3)}, "epoch": 3}, WeightsError, "missing 0.weight"),
        (
            {"model": {"0.bias": torch.ones(1).expand(10**12)}, "epoch": 3},
            WeightsError,
            r"\(1000000000000,\) is a view",
        ),
    ],
)
def test_checkpoints_that_an_importer_does_not_know_are_refused(nets, tmp_path, checkpoint, error, message):
    torch.save(checkpoint, tmp_path / "odd.pth")
    with pytest.raises(error, match=message):
        trained(nets, weights=str(tmp_path / "odd.pth"))


def test_an_importer_that_is_not_there_is_named(nets, tmp_path):
    torch.save(foreign(4), tmp_path / "theirs.pth")
    with pytest.raises(WeightsError, match=r"fake/misread: spikecore_shipping.net:nothing_there cannot be imported"):
        trained(nets, "misread", str(tmp_path / "theirs.pth"))


def test_without_an_importer_tensors_are_taken_as_they_are(nets, tmp_path):
    torch.save({f"module.{key}": value for key, value in tensors_of(4).items()}, tmp_path / "parallel.pth")
    assert trained(nets, "bare", str(tmp_path / "parallel.pth")).model.config.width == 4


@pytest.mark.parametrize(
    "around", [{}, {"epoch": 3}, {"epoch": 3, "optimiser": {"lr": 0.1, "state": {}}, "best": [1.5]}]
)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_table_of_tensors_is_found_in_a_checkpoint(nets, tmp_path, around, prefix):
    tensors = {f"{prefix}{key}": value for key, value in tensors_of(4, 0.25).items()}
    torch.save({**around, "state_dict": tensors}, tmp_path / "wrapped.pth")
    found = trained(nets, "bare", str(tmp_path / "wrapped.pth")).model.network.state_dict()
    assert all(torch.equal(value, tensors_of(4, 0.25)[key]) for key, value in found.items())


def test_of_several_tables_none_is_guessed(nets, tmp_path):
    torch.save({"params": tensors_of(4), "params_ema": tensors_of(4)}, tmp_path / "two.pth")
    with pytest.raises(
        WeightsError, match=r"several tables of tensors: 'params', 'params_ema'\n  keep one: torch.save"
    ):
        trained(nets, "bare", str(tmp_path / "two.pth"))


def test_imported_weights_are_kept_with_their_options(nets, tmp_path):
    torch.save(foreign(6), tmp_path / "theirs.pth")
    net = nets.find("net")
    path = import_weights(nets, net, tmp_path / "theirs.pth", "theirs")
    assert path == cache_folder() / "imported" / "fake" / "net" / "theirs.safetensors"
    assert {key: value.shape for key, value in load_file(path).items()} == {
        key: value.shape for key, value in tensors_of(6).items()
    }
    with safe_open(str(path), framework="numpy") as opened:
        said = json.loads(opened.metadata()["spikecore"])
    assert (said["component"], said["options"]) == ("fake/net", {"width": 6})
    assert sha256((tmp_path / "theirs.pth").read_bytes()).hexdigest() in said["training"]
    assert trained(nets, weights="theirs", gain=2.0).bound.config == NetOptions(6, 2.0)
    assert [(one.name, one.options) for one in imported_weights(net)] == [("theirs", {"width": 6})]
    for card in ("[]", "no json", '{"colour": "red"}'):
        (path.parent / "odd.safetensors").write_bytes(b"odd")
        (path.parent / "odd.json").write_text(card)
        assert [one.name for one in imported_weights(net)] == ["theirs"]
    with pytest.raises(WeightsError, match="is not that of weights 'odd'"):
        locate(nets, net, "odd")
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(WeightsError, match=r"is not that of weights 'theirs' of fake/net.*remove the file"):
        locate(nets, net, "theirs")
    assert imported_paths(nets.find("bare")) == {}


def test_a_checkpoint_that_does_not_fit_is_not_kept(nets, tmp_path):
    torch.save(tensors_of(4) | {"2.bias": torch.ones(1)}, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"unexpected 2.bias"):
        import_weights(nets, nets.find("bare"), tmp_path / "odd.pth", "odd")
    assert imported_paths(nets.find("bare")) == {}
