"""Reading and applying LIVE's support vector machine of BRISQUE. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
import torch

from spikecore import WeightsError, read_checkpoint

VECTORS, FEATURES = 774, 36
GAMMA, RHO = 0.05, -153.591
_EXPECTED = {
    "svm_type": ("epsilon_svr",),
    "kernel_type": ("rbf",),
    "gamma": (str(GAMMA),),
    "total_sv": (str(VECTORS),),
    "rho": (str(RHO),),
}
_TORCH_MAGIC = (b"PK\x03\x04", b"\x80\x02")
_LARGEST = 16 * 2**20


@attrs.frozen(eq=False)
class Svm:
    """A regression Σ aᵢ exp(-γ |x - vᵢ|²) - ρ.

    Args:
        coefficients: aᵢ, float64 (774,).
        vectors: vᵢ, float64 (774, 36), of features scaled to [-1, 1].
    """

    coefficients: torch.Tensor
    vectors: torch.Tensor

    def predict(self, features: torch.Tensor) -> torch.Tensor:
        """Scores (N,) of scaled features (N, 36)."""
        apart = features[:, None] - self.vectors.to(features.device)
        kernel = torch.exp(-GAMMA * apart.square().sum(2))
        return kernel @ self.coefficients.to(features.device) - RHO


def read_svm(path: Path) -> Svm:
    """Read the SVM from LIBSVM's text format or from a torch file of the tuple (sv_coef[774], sv[774, 36]).

    Raises:
        WeightsError: If the file is neither, is damaged, or holds another SVM.
    """
    size = path.stat().st_size
    if size > _LARGEST:
        raise WeightsError(f"{path}: {size} bytes; an SVM of {VECTORS} vectors is smaller than {_LARGEST}")
    content = path.read_bytes()
    if content.startswith(b"svm_type"):
        coefficients, vectors = _read_text(path, content)
    elif content.startswith(_TORCH_MAGIC):
        coefficients, vectors = _read_torch(path)
    else:
        raise WeightsError(
            f"{path} begins with {content[:16]!r}; expected LIBSVM text ('svm_type …') or a torch file of (sv_coef, sv)"
        )
    if not bool(coefficients.isfinite().all() and vectors.isfinite().all()):
        raise WeightsError(f"{path} holds NaN or infinity")
    return Svm(coefficients, vectors)


def _read_torch(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    held = read_checkpoint(path)
    shapes = [tuple(getattr(part, "shape", ())) for part in held] if isinstance(held, tuple) else type(held).__name__
    if shapes != [(VECTORS,), (VECTORS, FEATURES)]:
        raise WeightsError(f"{path} holds {shapes}; expected sv_coef[{VECTORS}] and sv[{VECTORS}, {FEATURES}]")
    return held[0].double(), held[1].double()


def _read_text(path: Path, content: bytes) -> tuple[torch.Tensor, torch.Tensor]:
    lines = content.decode("ascii", errors="replace").splitlines()
    if "SV" not in lines:
        raise WeightsError(f"{path}: no line 'SV' before the support vectors; the file is cut off")
    start = lines.index("SV") + 1
    _check_header(path, {key: tuple(rest) for key, *rest in map(str.split, filter(str.strip, lines[:start]))})
    rows = [_row(path, number, line) for number, line in enumerate(lines[start:], start + 1) if line.strip()]
    if len(rows) != VECTORS:
        raise WeightsError(f"{path}: {len(rows)} support vectors, expected {VECTORS}; the file is cut off")
    table = torch.tensor(rows, dtype=torch.float64)
    return table[:, 0], table[:, 1:]


def _check_header(path: Path, found: Mapping[str, tuple[str, ...]]) -> None:
    for key, wanted in _EXPECTED.items():
        if found.get(key) != wanted:
            said = " ".join(found.get(key, ("nothing",)))
            raise WeightsError(
                f"{path}: {key} is {said}, expected {wanted[0]}: not LIVE's SVM, its scores would not be comparable"
            )


def _row(path: Path, number: int, line: str) -> list[float]:
    """One line "coefficient 1:value 3:value …": the coefficient, then all values, 0 where left out."""
    row = [0.0] * (FEATURES + 1)
    try:
        coefficient, *entries = line.split()
        row[0] = float(coefficient)
        for index, value in (entry.split(":") for entry in entries):
            if not 1 <= int(index) <= FEATURES:
                raise ValueError(f"feature {index}")
            row[int(index)] = float(value)
    except ValueError as error:
        raise WeightsError(f"{path}, line {number}: {error}; expected 'coefficient 1:value … 36:value'") from None
    return row
