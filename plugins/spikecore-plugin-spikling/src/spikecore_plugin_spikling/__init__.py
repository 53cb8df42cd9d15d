"""spikling: classical methods, Semi-UNet, losses and data of that project. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from spikecore import Component, Kind, PluginInfo, Weights, hookimpl
from spikecore_plugin_spikling.config import (
    CurveConfig,
    IntervalConfig,
    L2Config,
    PairsConfig,
    SemiUnetConfig,
    TvConfig,
    VggConfig,
    WindowConfig,
)

if TYPE_CHECKING:
    import click

_PACKAGE = "spikecore_plugin_spikling"

SPIKLING = """\
@misc{spikling2020,
  title        = {spikling: Spike Camera Image Restoration},
  author       = {lshpku},
  howpublished = {github.com/lshpku/spikling},
  year         = {2020}
}"""

VGG = """\
@inproceedings{simonyan2015very,
  title     = {Very Deep Convolutional Networks for Large-Scale Image Recognition},
  author    = {Simonyan, Karen and Zisserman, Andrew},
  booktitle = {International Conference on Learning Representations (ICLR)},
  year      = {2015}
}"""


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo(
        "spikling: window, interval and curve methods, and the Semi-UNet with weights trained here",
        license="MIT",
        citation=SPIKLING,
        homepage="https://github.com/lshpku/spikling",
    )


@hookimpl
def spikecore_add_commands(group: click.Group) -> None:
    """See `spikecore.plugin.hookspecs`."""
    from spikecore_plugin_spikling.commands import spikling_pairs, spikling_video

    group.add_command(spikling_video)
    group.add_command(spikling_pairs)


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield from _reconstructors()
    yield from _losses()
    yield Component(
        Kind.MODEL,
        "semi-unet",
        target=f"{_PACKAGE}.semi_unet:Model",
        config=SemiUnetConfig,
        summary="U-Net with additive skips on 32 spike frames, which also see its last layer",
        consumes=("spikes",),
        produces=("image",),
        weights=(
            Weights(
                "generated",
                sha256="e31112b7f8e7a60d3d3c4b91d300e4eb7738a7725a8fb051b45a2f1ce07e3d46",
                size=5_792_936,
                file="weights/generated.safetensors",
                license="MIT",
                training="recipes/generated.toml and sharper.toml in this package: 3900 steps on generated scenes only",
                scores={"REDS 203_part2 + 203_part3, frame 150, gain 1/0.6/iqa/psnr": 30.74},
            ),
        ),
        importer=f"{_PACKAGE}.foreign:import_generator",
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "pairs",
        target=f"{_PACKAGE}.pairs:Pairs",
        config=PairsConfig,
        summary="a folder of spikling's simulated pairs: .npz files with seq, tag and length",
        produces=("spikes",),
        targets=("image",),
        license="MIT",
    )


def _reconstructors() -> Iterable[Component]:
    for name, target, config, summary in (
        ("window", "window:WindowMean", WindowConfig, "the mean of a window of spike frames"),
        ("interval", "interval:Interval", IntervalConfig, "one over the time between two spikes"),
        ("brightness-curve", "curve:BrightnessCurve", CurveConfig, "a line through the rates of three intervals"),
        ("integral-curve", "curve:IntegralCurve", CurveConfig, "the slope of a parabola through four spikes' charge"),
    ):
        yield Component(
            Kind.RECONSTRUCTOR,
            name,
            target=f"{_PACKAGE}.{target}",
            config=config,
            summary=summary,
            consumes=("spikes",),
            produces=("image",),
            license="MIT",
        )


def _losses() -> Iterable[Component]:
    for name, target, config, summary, citation in (
        ("l2", "L2", L2Config, "mean squared error in the units of spikling's network", ""),
        ("vgg", "Vgg", VggConfig, "mean squared error of VGG19's features relu3_3", VGG),
        ("tv", "Tv", TvConfig, "total variation of the output", ""),
    ):
        yield Component(
            Kind.LOSS,
            name,
            target=f"{_PACKAGE}.losses:{target}",
            config=config,
            summary=summary,
            consumes=("image",),
            targets=() if name == "tv" else ("image",),
            license="MIT",
            citation=citation,
        )
