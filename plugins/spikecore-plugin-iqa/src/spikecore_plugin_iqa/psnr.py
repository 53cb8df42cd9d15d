"""Peak signal-to-noise ratio."""

from __future__ import annotations

import torch

from spikecore_plugin_iqa.config import PsnrConfig
from spikecore_plugin_iqa.conventions import check_levels, data_range, values
from spikecore_plugin_iqa.metric import FullReference


class Psnr(FullReference):
    """Mean over images of 10·log10(L² / MSE) in dB, L the data range; infinite for equal images.

    The mean squared error is over all pixels and channels. Conventions: "standard" compares [0, 1] with L = 1;
    "spikezoo" compares [-1, 1] with L = 2, which gives the same number; "spikecv" compares values of 8 bits with
    L = 255, rounded, or, with levels="truncate", cut to whole numbers as that project cuts its TFP and TFI pictures
    before it compares them.
    """

    higher_is_better = True

    def __init__(self, config: PsnrConfig) -> None:
        super().__init__(config.crop)
        check_levels(config.convention, config.levels)
        self.convention, self.levels = config.convention, config.levels

    def scores(self, images: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """See `FullReference.scores`."""
        compared = [values(pictures, self.convention, self.levels) for pictures in (images, truth)]
        error = compared[0] - compared[1]
        return -10 * (error / data_range(self.convention)).square().flatten(1).mean(1).log10()
