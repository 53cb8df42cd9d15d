"""Weights files that are damaged, or made to do harm: refused, or the very tensors that were written."""

from __future__ import annotations

import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from spikecore.errors import WeightsError
from spikecore.weights.files import load_tensors, read, write_weights
from spikecore.weights.find import imported_weights, locate
from spikecore.weights.plain import read_checkpoint

from .nets import tensors_of, trained

TENSORS = {"a.weight": torch.arange(12.0).reshape(3, 4), "a.count": torch.tensor(7), "b": torch.ones(2).half()}


def flipped(content, count, seed=0):
    """Copies of a file, each with one bit changed."""
    for position in np.random.default_rng(seed).choice(len(content) * 8, count, replace=False):
        changed = bytearray(content)
        changed[position // 8] ^= 1 << position % 8
        yield bytes(changed)


def same(found):
    return found.keys() == TENSORS.keys() and all(
        torch.equal(found[key], value) and found[key].dtype == value.dtype for key, value in TENSORS.items()
    )


def test_a_member_that_is_marked_as_a_folder_is_refused(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(TENSORS, path)
    content = bytearray(path.read_bytes())
    name = content.rindex(b"w/data/0")  # of the directory: attributes and offset stand before the name
    assert content[name - 8 : name - 4] == bytes(4)
    content[name - 8] = 0x10
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="marked as a folder"):
        load_tensors(path)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_changed_bit_never_gives_other_tensors(nets, tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    made = {"component": "fake/net", "options": {"width": 4, "gain": 1.5}, "training": "none"}
    torch.save(TENSORS, path) if suffix == ".pth" else write_weights(path, TENSORS, made)
    damaged = tmp_path / f"damaged{suffix}"
    refused: list[str] = []
    for content in flipped(path.read_bytes(), 400):
        damaged.write_bytes(content)
        try:
            found = read(nets.find("fake/net"), damaged) if suffix == ".safetensors" else load_tensors(damaged)
        except WeightsError as error:
            refused.append(str(error))
            continue
        assert same(found.tensors if suffix == ".safetensors" else found)
        if suffix == ".safetensors" and found.options:
            assert found.options == made["options"]
    assert len(refused) > 100
    assert all(str(damaged) in message for message in refused)


def test_a_file_that_is_not_the_one_of_its_card_is_refused(nets, tmp_path):
    path = tmp_path / "w.safetensors"
    made = {"component": "fake/net", "options": {"width": 4}, "training": ""}
    write_weights(path, tensors_of(4), made)
    assert locate(nets, nets.find("fake/net"), str(path))[0] == path
    card = path.with_suffix(".json").read_bytes()
    write_weights(path, tensors_of(4, 0.75), made)
    path.with_suffix(".json").write_bytes(card)
    with pytest.raises(WeightsError, match="is not that of its card"):
        trained(nets, weights=str(path))


class Sized:
    """Builds bytes out of nothing when it is read."""

    def __reduce__(self):
        return (bytearray, (10**10,))


class Scalar:
    def __reduce__(self):
        return np.float64(3).__reduce__()


def deep(levels):
    held = torch.ones(1)
    for _ in range(levels):
        held = [held]
    return held


class Doubled:
    """A tuple of one tuple twice, and so on; of 2**60 values that are not there."""

    def __reduce__(self):
        return (OrderedDict, ([(doubled(60), 1)],))


def doubled(levels):
    held = ("x",)
    for _ in range(levels):
        held = (held, held)
    return held


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({3: torch.ones(1)}, "named by a int"),
        ({doubled(10): torch.ones(1)}, "named by a tuple"),
        ({"a": Doubled()}, "more deeply nested"),
        ({"a": deep(200)}, "more deeply nested"),
        ({"a": torch.ones(2, device="meta")}, "not a plain weights file: it holds"),
        ({"a": torch.eye(3).to_sparse()}, "not a plain weights file: it holds"),
        ({"a": torch.ones(2, dtype=torch.complex64)}, "tensor 'a' is complex64|a tensor is complex64"),
        ({"a": torch.ones(2).to(torch.float8_e4m3fn)}, "not a plain weights file"),
        ({"a": Sized()}, "it holds '__builtin__.bytearray'|it holds 'builtins.bytearray'"),
        ({"a": torch.ones(1), "loss": Scalar()}, "it holds 'numpy"),
        (OrderedDict((str(number), 1) for number in range(200_000)), "more than weights need"),
        ([torch.ones(1)], "holds a list"),
        (torch.ones(3), "holds a Tensor"),
        ({"a": "x" * 100, "b": None}, "entry 'a' is a str"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
@pytest.mark.parametrize("new", [True, False], ids=["new", "old"])
@pytest.mark.filterwarnings("ignore")
def test_what_no_network_has_is_refused_in_own_words(tmp_path, content, message, new):
    path = tmp_path / "odd.pth"
    torch.save(content, path, _use_new_zipfile_serialization=new)
    with pytest.raises(WeightsError) as caught:
        load_tensors(path)
    said = str(caught.value)
    assert "weights_only" not in said
    assert "\x1b" not in said
    if new:  # of the old format the beginning alone is looked at
        assert caught.match(message)


def rewritten(path, change):
    """The same archive with other members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if change == "compressed" else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            short = content[:16] if change == "short" and name.endswith("data/0") else content
            archive.writestr(name, short)
            if change == "program" and name.endswith("data.pkl"):
                archive.writestr(name.replace("data.pkl", "constants.pkl"), b"")
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("compressed", "which torch does not write"),
        ("short", "not of the sizes that it stores|not a plain weights file"),
        ("program", "TorchScript"),
    ],
)
def test_archives_that_torch_did_not_write_are_refused(tmp_path, change, message):
    path = tmp_path / "w.pth"
    torch.save(TENSORS, path)
    with pytest.raises(WeightsError, match=message):
        load_tensors(rewritten(path, change))


def test_what_a_checkpoint_may_hold_besides(tmp_path):
    layer = torch.nn.Linear(2, 2)
    held = {"net": layer.state_dict(), "optimiser": {"state": {0: (0.9, None)}}, "parameter": layer.weight, "step": 3,
            "shape": torch.Size([1]), "device": torch.device("cpu"),
            "shared": [TENSORS["b"], TENSORS["b"][1:]]}  # fmt: skip
    torch.save(held, tmp_path / "c.pt")
    found = read_checkpoint(tmp_path / "c.pt")
    assert found["step"] == 3
    assert torch.equal(found["net"]["weight"], layer.weight)
    assert torch.equal(found["shared"][1], TENSORS["b"][1:])


def test_the_old_format_is_read_with_a_warning(tmp_path):
    torch.save(TENSORS, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    with pytest.warns(UserWarning, match="no checksums"):
        assert same(load_tensors(tmp_path / "old.pth"))


@pytest.mark.parametrize(
    "content", [b"\xff" * 8 + b"{}", b"\x08\0\0\0\0\0\0\0{}", (9 * 10**6).to_bytes(8, "little") + b"{"]
)
def test_headers_that_cannot_be_are_refused(tmp_path, content):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match="a header of"):
        load_tensors(tmp_path / "w.safetensors")


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "b/" * 3000, "."])
def test_names_that_no_file_has(nets, name):
    with pytest.raises(WeightsError, match="has no weights"):
        locate(nets, nets.find("fake/net"), name)


@pytest.mark.parametrize("card", ["[1]", '{"sha256": 3, "size": "x"}', "{" * 9999, '{"name": 1e999}', "\xff"])
def test_a_card_of_nonsense_takes_nothing_else_away(nets, tmp_path, card):
    folder = tmp_path / "cache" / "weights" / "imported" / "fake" / "net"
    folder.mkdir(parents=True)
    made = {"component": "fake/net", "options": {"width": 4}, "training": ""}
    path = write_weights(folder / "mine.safetensors", tensors_of(4), made)
    path.with_suffix(".json").write_text(card, encoding="latin-1")
    assert imported_weights(nets.find("fake/net")) == []
    with pytest.raises(WeightsError, match=r"\(.*\); remove the file"):
        trained(nets, weights="mine")
