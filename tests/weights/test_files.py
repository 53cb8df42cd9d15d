"""What a weights file may hold."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from spikecore.errors import WeightsError
from spikecore.weights.files import load_tensors


def test_tensors_are_read_from_safetensors_and_legacy_files(tmp_path):
    tensors = {"a": torch.arange(3.0), "b": torch.ones(2, 2, dtype=torch.int64)}
    save_file(tensors, tmp_path / "w.safetensors")
    torch.save(tensors, tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        read = load_tensors(tmp_path / name)
        assert read.keys() == tensors.keys()
        assert all(torch.equal(read[key], tensors[key]) for key in tensors)


class Payload:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"<!DOCTYPE html>", "web page"),
        (b"\x80\x04garbage", "not a plain weights file"),
        (b"\xff" * 100, "not a plain weights file"),
    ],
)
def test_impostors_are_refused(tmp_path, suffix, content, message):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        load_tensors(path)
    assert str(path) in str(caught.value)


def test_code_in_a_legacy_file_never_runs(tmp_path):
    torch.save({"a": Payload()}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="not a plain weights file"):
        load_tensors(tmp_path / "w.pth")


def test_what_is_no_finite_tensor_is_refused(tmp_path):
    torch.save({"a": torch.tensor([1.0, float("nan")])}, tmp_path / "nan.pth")
    torch.save({"a": {"b": torch.ones(1)}}, tmp_path / "nested.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="'a' holds NaN"):
        load_tensors(tmp_path / "nan.pth")
    with pytest.raises(WeightsError, match="entry 'a' is a dict"):
        load_tensors(tmp_path / "nested.pth")
    with pytest.raises(WeightsError, match="not a plain weights file"):
        load_tensors(tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="no such file"):
        load_tensors(tmp_path / "none.pth")
