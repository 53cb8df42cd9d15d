"""Image quality metrics with stated conventions, with and without ground truth. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from spikecore import Component, Kind, PluginInfo, hookimpl
from spikecore_plugin_iqa import citations, config

_PACKAGE = "spikecore_plugin_iqa"


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo(
        "image quality with stated conventions: PSNR, SSIM, MS-SSIM, LPIPS, NIQE, BRISQUE and PIQE",
        license="MIT AND Apache-2.0",
    )


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield from _with_ground_truth()
    yield from _without_ground_truth()


def _with_ground_truth() -> Iterable[Component]:
    yield Component(
        Kind.METRIC,
        "psnr",
        target=f"{_PACKAGE}.psnr:Psnr",
        config=config.PsnrConfig,
        summary="peak signal-to-noise ratio in dB, on [0, 1] or by the conventions of Spike-Zoo and SpikeCV",
        consumes=("image",),
        targets=("image",),
        license="MIT",
    )
    yield Component(
        Kind.METRIC,
        "ssim",
        target=f"{_PACKAGE}.ssim:Ssim",
        config=config.SsimConfig,
        summary="structural similarity, Wang's interior-only value or by the conventions of Spike-Zoo and SpikeCV",
        consumes=("image",),
        targets=("image",),
        license="MIT",
        citation=citations.WANG_2004,
    )
    yield Component(
        Kind.METRIC,
        "ms-ssim",
        target=f"{_PACKAGE}.ms_ssim:MsSsim",
        config=config.MsSsimConfig,
        summary="structural similarity over Wang's five scales, interior only; pictures of 161 pixels and more a side",
        consumes=("image",),
        targets=("image",),
        license="MIT",
        citation=citations.WANG_2003,
    )
    yield Component(
        Kind.METRIC,
        "lpips",
        target=f"{_PACKAGE}.lpips:Lpips",
        config=config.LpipsConfig,
        summary="distance of AlexNet features weighted by LPIPS 0.1; lower is better; needs two weight files",
        consumes=("image",),
        targets=("image",),
        license="BSD-2-Clause",
        citation=citations.ZHANG_2018,
    )


def _without_ground_truth() -> Iterable[Component]:
    yield Component(
        Kind.METRIC,
        "niqe",
        target=f"{_PACKAGE}.niqe:Niqe",
        config=config.NiqeConfig,
        summary="naturalness of the 8-bit grey picture, blocks of 96, BasicSR's parameters; lower is better",
        consumes=("image",),
        license="Apache-2.0",
        citation=citations.MITTAL_2013,
    )
    yield Component(
        Kind.METRIC,
        "brisque",
        target=f"{_PACKAGE}.brisque:Brisque",
        config=config.BrisqueConfig,
        summary="quality of the 8-bit grey picture by LIVE's SVM (rho -153.591), a file; lower is better",
        consumes=("image",),
        license="LicenseRef-LIVE",
        citation=citations.MITTAL_2012,
    )
    yield Component(
        Kind.METRIC,
        "piqe",
        target=f"{_PACKAGE}.piqe:Piqe",
        config=config.PiqeConfig,
        summary="distortion of active 16x16 blocks of the grey picture scaled to its maximum; lower is better",
        consumes=("image",),
        license="MIT",
        citation=citations.VENKATANATH_2015,
    )
