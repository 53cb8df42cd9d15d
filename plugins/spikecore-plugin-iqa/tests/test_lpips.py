"""LPIPS with made-up weights: equal to the authors' program; files that are missing or wrong are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from spikecore import Unavailable, UsageError, WeightsError


@pytest.fixture(scope="module")
def images(hash_picture):
    first, second = (hash_picture((2, 3, 65, 83), seed).double() for seed in (60, 61))
    return first, 0.7 * first + 0.3 * second


def test_equals_the_program_of_the_authors(build, images, lpips_files):
    """What lpips 0.1.4 gives for the same weights and images in float64, for each image and for red alone."""
    metric = build("lpips", **lpips_files)
    metric.update(*(batch[:1] for batch in images))
    assert float(metric.compute()) == pytest.approx(0.11906890, abs=1e-8)
    metric.update(*(batch[1:] for batch in images))
    assert float(metric.compute()) == pytest.approx((0.11906890 + 0.12407145) / 2, abs=1e-8)
    metric.reset()
    metric.update(*(batch[:, :1] for batch in images))
    assert float(metric.compute()) == pytest.approx(0.12040656, abs=1e-8)


def test_identity_symmetry_and_order(score, images, lpips_files):
    first, second = images
    assert score("lpips", first, first, **lpips_files) == 0
    whole = score("lpips", first, second, **lpips_files)
    assert score("lpips", second, first, **lpips_files) == pytest.approx(whole, rel=1e-6)
    assert 0 < score("lpips", first, 0.9 * first + 0.1 * second, **lpips_files) < whole


def test_files_lie_in_the_cache_of_torch_hub(build, score, images, lpips_files, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "alexnet-owt-7be5be79.pth").write_bytes(Path(lpips_files["weights"]).read_bytes())
    with pytest.raises(Unavailable) as caught:
        build("lpips")
    assert "alexnet" not in str(caught.value)
    (folder / "alex.pth").write_bytes(Path(lpips_files["heads"]).read_bytes())
    assert score("lpips", *images) == score("lpips", *images, **lpips_files)


def test_missing_files_are_named_with_where_to_get_them(build, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(Unavailable) as caught:
        build("lpips")
    message = str(caught.value)
    for part in (
        str(tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"),
        str(tmp_path / "hub" / "checkpoints" / "alex.pth"),
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        "lpips/weights/v0.1/alex.pth",
        "weights=FILE",
        "heads=FILE",
    ):
        assert part in message


def test_a_path_without_a_file_is_named(build, lpips_files, tmp_path):
    with pytest.raises(Unavailable, match=r"no file .*absent\.pth"):
        build("lpips", **{**lpips_files, "heads": str(tmp_path / "absent.pth")})


def test_wrong_files_are_refused(build, lpips_files, tmp_path):
    with pytest.raises(WeightsError, match=r"'lin0.model.1.weight' is missing, expected \(1, 64, 1, 1\)"):
        build("lpips", weights=lpips_files["weights"], heads=lpips_files["weights"])
    odd = torch.load(lpips_files["weights"], weights_only=True) | {"features.6.bias": torch.zeros(3)}
    torch.save(odd, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"odd\.pth.*features\.6\.bias' is \(3,\), expected \(384,\)"):
        build("lpips", weights=str(tmp_path / "odd.pth"), heads=lpips_files["heads"])
    (tmp_path / "page.pth").write_text("<html>not found</html>")
    with pytest.raises(WeightsError, match="web page"):
        build("lpips", weights=lpips_files["weights"], heads=str(tmp_path / "page.pth"))


def test_small_images_are_refused(score, picture, lpips_files):
    with pytest.raises(UsageError, match=r"30x64 pixels.* 31 a side"):
        score("lpips", picture(30, 64), picture(30, 64, 1), **lpips_files)
    assert score("lpips", picture(31, 33), picture(31, 33, 1), **lpips_files) > 0
