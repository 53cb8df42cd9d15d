"""The SVM of BRISQUE from both kinds of file; any other file is refused with what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from spikecore_plugin_iqa.svm import read_svm

from spikecore import Unavailable, WeightsError

HEADER = {
    "svm_type": "epsilon_svr",
    "kernel_type": "rbf",
    "gamma": "0.05",
    "nr_class": "2",
    "total_sv": "774",
    "rho": "-153.591",
}


@pytest.fixture
def text_file(svm_parts, tmp_path):
    """text_file(rho="-155.8", lines=700): an SVM as LIBSVM writes it; values of 0 are left out."""

    def write(lines=774, first="", **changes):
        rows = [f"{key} {value}" for key, value in (HEADER | changes).items()] + ["SV"]
        for coefficient, vector in zip(*svm_parts, strict=True):
            entries = " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(vector, 1) if i != 7)
            rows.append(f"{float(coefficient)!r} {entries} ")
        rows = rows[: len(HEADER) + 1 + lines]
        if first:
            rows[len(HEADER) + 1] = first
        path = tmp_path / "allmodel"
        path.write_text("\n".join(rows) + "\n")
        return path

    return write


def test_both_kinds_of_file_predict_alike(svm_parts, svm_file, text_file, tmp_path):
    coefficients, vectors = (part.double() for part in svm_parts)
    features = 2 * torch.rand(3, 36, dtype=torch.float64) - 1
    apart = features.numpy()[:, None] - vectors.numpy()
    expected = np.exp(-0.05 * (apart**2).sum(2)) @ coefficients.numpy() + 153.591
    np.testing.assert_allclose(read_svm(Path(svm_file)).predict(features), expected, rtol=1e-9)

    vectors[:, 6] = 0  # as in the text file
    torch.save((coefficients, vectors), tmp_path / "svm.pth")
    binary, text = read_svm(tmp_path / "svm.pth"), read_svm(text_file())
    np.testing.assert_allclose(text.predict(features), binary.predict(features), rtol=1e-12)


def test_lives_svm_is_read(shared):
    svm = read_svm(shared / "data/iqa/brisque_svm_weights.pth")
    assert svm.coefficients.shape == (774,)
    assert float(svm.coefficients.abs().max()) == 1024
    assert abs(float(svm.coefficients.sum())) < 0.01  # support vector regression balances its coefficients
    assert float(svm.vectors.abs().max()) == 1


def test_without_a_file_it_is_unavailable(build, tmp_path):
    with pytest.raises(Unavailable, match=r"'model' is not set\n.*github\.com/utlive/BRISQUE.*model=FILE"):
        build("brisque")
    with pytest.raises(Unavailable, match=r"there is no file .*absent"):
        build("brisque", model=str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rho": "-155.845"}, r"rho is -155\.845, expected -153\.591.*not LIVE's SVM"),
        ({"gamma": "0.1"}, "gamma is 0.1"),
        ({"svm_type": "c_svc"}, "svm_type is c_svc"),
        ({"kernel_type": "linear"}, "kernel_type is linear"),
        ({"total_sv": "3"}, "total_sv is 3"),
        ({"rho": "\n"}, "rho is , expected -153.591"),
        ({"lines": 700}, "700 support vectors, expected 774"),
        ({"lines": -1}, "no line 'SV'"),
        ({"first": "1.0 37:2.0"}, r"line 8: feature 37"),
        ({"first": "1.0 1:x"}, r"line 8: could not convert"),
        ({"first": "1.0 1"}, r"line 8: .*expected 'coefficient 1:value"),
        ({"first": "nan 1:1"}, "NaN or infinity"),
    ],
)
def test_other_text_files_are_refused(text_file, changes, message):
    with pytest.raises(WeightsError, match=message):
        read_svm(text_file(**changes))


def test_other_torch_files_are_refused(svm_parts, tmp_path):
    coefficients, vectors = svm_parts
    for value, message in [
        ((coefficients, vectors[:, :30]), r"\(774, 30\).*expected sv_coef\[774\] and sv\[774, 36\]"),
        ({"sv": vectors}, "holds dict"),
        ((coefficients,), r"holds \[\(774,\)\]"),
        ((coefficients, vectors.log()), "NaN or infinity"),
    ]:
        torch.save(value, tmp_path / "svm.pth")
        with pytest.raises(WeightsError, match=message):
            read_svm(tmp_path / "svm.pth")


class Payload:
    def __reduce__(self):
        return (print, ("code of the file ran",))


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x7fELF", b"PK\x03\x04 cut off", b"\x80\x02 cut off"])
def test_damaged_and_foreign_files_are_refused(tmp_path, content):
    path = tmp_path / "svm.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"svm\.pth"):
        read_svm(path)


def test_code_in_a_file_does_not_run(tmp_path, capsys):
    torch.save(Payload(), tmp_path / "svm.pth")
    with pytest.raises(WeightsError, match="not a plain weights file"):
        read_svm(tmp_path / "svm.pth")
    assert "ran" not in capsys.readouterr().out


def test_large_files_are_not_read(tmp_path):
    path = tmp_path / "allmodel"
    with path.open("wb") as stream:
        stream.write(b"svm_type epsilon_svr\n")
        stream.truncate(2**40)
    with pytest.raises(WeightsError, match="bytes"):
        read_svm(path)
