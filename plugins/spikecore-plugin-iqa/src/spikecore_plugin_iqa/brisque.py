"""BRISQUE: quality predicted from scene statistics by a trained SVM (Mittal, Moorthy, Bovik, IEEE TIP 2012)."""

from __future__ import annotations

import torch
from torch.nn import functional

from spikecore import UsageError
from spikecore_plugin_iqa.brisque_ranges import RANGES
from spikecore_plugin_iqa.config import BrisqueConfig
from spikecore_plugin_iqa.files import Needed, located
from spikecore_plugin_iqa.filters import halve
from spikecore_plugin_iqa.metric import NoReference
from spikecore_plugin_iqa.pictures import eight_bit, grey
from spikecore_plugin_iqa.scene_statistics import fit_skewed, fit_symmetric, gamma_ratio, normalised, products
from spikecore_plugin_iqa.svm import read_svm

SHIFTS = ((0, 1), (1, 0), (1, 1), (-1, 1))
SMALLEST = 16


class Brisque(NoReference):
    """Mean over images of the opinion score predicted by LIVE's SVM: about 0 (best) to 100, lower is better.

    Colour becomes grey by 0.299 R + 0.587 G + 0.114 B; values are round(255 x), or as `levels` says, and black beyond
    the border where local means are taken. The SVM is `allmodel` of LIVE (rho -153.591), with features scaled by its
    own ranges. Scores of another SVM, such as the one of rho -155.8 in circulation, are not comparable, so its text
    file is refused.

    Raises:
        Unavailable: If no file of the SVM is given.
    """

    higher_is_better = False

    def __init__(self, config: BrisqueConfig) -> None:
        super().__init__(config.crop, config.display)
        wanted = Needed("model", config.model, "allmodel", "https://github.com/utlive/BRISQUE (MATLAB/allmodel)")
        (path,) = located("iqa/brisque", [wanted])
        self.svm = read_svm(path)
        self.levels = config.levels

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        """See `NoReference.scores`."""
        height, width = images.shape[-2:]
        if min(height, width) < SMALLEST:
            raise UsageError(f"BRISQUE of {height}x{width} pixels; it needs {SMALLEST} a side")
        found = features(eight_bit(grey(images), self.levels))
        if not bool(found.isfinite().all()):
            raise UsageError(
                f"BRISQUE of {height}x{width} pixels without texture: products of neighbours have one sign only"
            )
        low, high = found.new_tensor(RANGES).T
        return self.svm.predict(2 * (found - low) / (high - low) - 1)


def features(pictures: torch.Tensor) -> torch.Tensor:
    """The 36 features (N, 36) of pictures (N, 1, H, W) of 0..255; NaN where a picture is flat."""
    return torch.cat([_features(pictures), _features(halve(pictures))], 1)


def _features(pictures: torch.Tensor) -> torch.Tensor:
    """Eighteen: shape and variance of the values; shape, mean and two variances of four products of neighbours."""
    maps = normalised(functional.pad(pictures, (3, 3, 3, 3)))[:, 0]
    columns = [*fit_symmetric(maps.flatten(1))]
    for values in products(maps, SHIFTS):
        shape, left, right = fit_skewed(values)
        mean = (right - left) * gamma_ratio(shape, 2, 1) * gamma_ratio(shape, 1, 3).sqrt()
        columns += [shape, mean, left.square(), right.square()]
    return torch.stack(columns, 1)
