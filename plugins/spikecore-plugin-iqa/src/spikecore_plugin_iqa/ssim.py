"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004)."""

from __future__ import annotations

import torch

from spikecore import UsageError
from spikecore_plugin_iqa.config import Convention, SsimConfig, Window
from spikecore_plugin_iqa.conventions import check_levels, data_range, values
from spikecore_plugin_iqa.filters import blur, box, gaussian
from spikecore_plugin_iqa.metric import FullReference

SIZE = {Window.GAUSSIAN: 11, Window.UNIFORM: 7}
"""Side of the window in pixels."""


class Ssim(FullReference):
    """Mean over images, channels and interior pixels of the structural similarity; 1 for equal images.

    Windows: "gaussian" is Wang's, 11x11 with sigma 1.5 and covariances of the population; "uniform" is scikit-image's
    default, 7x7 with covariances of the sample (49/48 of the former). Only pixels whose whole window lies in the
    picture count. Conventions: "standard" compares [0, 1]; "spikezoo" [-1, 1] with data range 2 and, unless `window`
    says otherwise, the uniform window; "spikecv" values of 8 bits, rounded or, with levels="truncate",
    cut as that project cuts its TFP and TFI pictures. They give different numbers: see the README.
    """

    higher_is_better = True

    def __init__(self, config: SsimConfig) -> None:
        super().__init__(config.crop)
        check_levels(config.convention, config.levels)
        self.convention, self.levels, self.window = config.convention, config.levels, config.window
        if self.window is Window.AUTO:
            self.window = Window.UNIFORM if self.convention is Convention.SPIKEZOO else Window.GAUSSIAN

    def scores(self, images: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """See `FullReference.scores`."""
        height, width = images.shape[-2:]
        if min(height, width) < SIZE[self.window]:
            raise UsageError(
                f"SSIM of {height}x{width} pixels; the {self.window.value} window needs {SIZE[self.window]} a side"
            )
        first, second = (values(pictures, self.convention, self.levels) for pictures in (images, truth))
        return similarity(first, second, self.window, data_range(self.convention))[0].flatten(1).mean(1)


def similarity(
    first: torch.Tensor, second: torch.Tensor, window: Window, span: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps of the structural similarity and of its contrast-structure part, interior pixels only.

    With local means m, variances v and covariance c, C1 = (0.01 L)², C2 = (0.03 L)² (eq. 13):
    ssim = (2 m1 m2 + C1) / (m1² + m2² + C1) · cs, and cs = (2 c + C2) / (v1 + v2 + C2).

    Args:
        first: Values (N, C, H, W).
        second: Values of the same shape.
        window: Gaussian or uniform.
        span: The data range L.
    """
    size = SIZE[window]
    taps = gaussian(size, 1.5, first) if window is Window.GAUSSIAN else box(size, first)
    unbias = 1.0 if window is Window.GAUSSIAN else size**2 / (size**2 - 1)
    mean1, mean2 = blur(first, taps), blur(second, taps)
    variances = unbias * (blur(first.square() + second.square(), taps) - mean1.square() - mean2.square())
    covariance = unbias * (blur(first * second, taps) - mean1 * mean2)
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    contrast = (2 * covariance + c2) / (variances + c2)
    luminance = (2 * mean1 * mean2 + c1) / (mean1.square() + mean2.square() + c1)
    return luminance * contrast, contrast
