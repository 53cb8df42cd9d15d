"""Self-supervised mutual learning (SSML) for spike cameras. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from spikecore import Component, Kind, PluginInfo, Weights, hookimpl
from spikecore_plugin_ssml.config import (
    BranchConfig,
    DistillationConfig,
    FusionConfig,
    InstantsConfig,
    MotionConfig,
    MutualConfig,
    NbsnConfig,
    ReconstructionConfig,
    SmoothnessConfig,
)

if TYPE_CHECKING:
    import click

CHEN_2022 = """\
@inproceedings{chen2022self,
  title     = {Self-Supervised Mutual Learning for Dynamic Scene Reconstruction of Spiking Camera},
  author    = {Chen, Shiyan and Duan, Chaoteng and Yu, Zhaofei and Xiong, Ruiqin and Huang, Tiejun},
  booktitle = {International Joint Conference on Artificial Intelligence (IJCAI)},
  pages     = {2859--2866},
  year      = {2022}
}"""

TRAINING = "generated.toml and distilled.toml in this package: 5800 steps on generated spikes, no ground truth"


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo(
        "SSML: blind-spot and ordinary networks that learn from spikes alone", license="MIT", citation=CHEN_2022
    )


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield _model(
        "nbsn",
        "Nbsn",
        NbsnConfig,
        "the network that sees every pixel; variants a to e",
        _generated("nbsn", "92ba564c03ba5833ab8fbb79ab4e50ec5d9e72e57112b0b4e8c552d7cc2ff8ec", 1_313_266, 29.79),
    )
    yield _model(
        "bsn",
        "Bsn",
        BranchConfig,
        "the blind-spot network, which cannot see the pixel it predicts",
        _generated("bsn", "be75c2140cbfe343ed579f0a91243ed84dc50a0f094a9f06740757fe8928fd59", 564_098, 29.33),
    )
    yield _model(
        "mutual",
        "Mutual",
        MutualConfig,
        "both networks, for training without ground truth",
        _generated("mutual", "f619f78af2d57b818e1b1abe8a28c84b27379c4ada1d288988ed87b557f2f46d", 1_877_676, 29.79),
    )
    yield Component(
        Kind.SOURCE,
        "instants",
        target="spikecore_plugin_ssml.instants:Instants",
        config=InstantsConfig,
        summary="random instants of your own recordings, to train on without ground truth",
        produces=("spikes",),
        license="MIT",
    )
    losses = {
        "reconstruction": ("Reconstruction", ReconstructionConfig, "difference from a label made of the spikes"),
        "mutual": ("Distillation", DistillationConfig, "difference between the two networks"),
        "fusion": ("Fusion", FusionConfig, "pretext of variant e: blind prediction and gates against labels"),
        "motion": ("Motion", MotionConfig, "disagreement with motion measured from the spikes"),
        "smoothness": ("Smoothness", SmoothnessConfig, "mean absolute second differences"),
    }
    for name, (target, config, summary) in losses.items():
        yield Component(
            Kind.LOSS,
            name,
            target=f"spikecore_plugin_ssml.losses:{target}",
            config=config,
            summary=summary,
            consumes=("image",),
            license="MIT",
        )


def _generated(name: str, sha256: str, size: int, score: float) -> Weights:
    return Weights(
        "generated",
        sha256=sha256,
        size=size,
        file=f"weights/{name}.safetensors",
        license="MIT",
        training=TRAINING,
        scores={"REDS 203_part2 + 203_part3, frame 150, gain 1/0.6/iqa/psnr": score},
        options={"variant": "e"},
    )


def _model(name: str, target: str, config: type, summary: str, weights: Weights) -> Component:
    return Component(
        Kind.MODEL,
        name,
        target=f"spikecore_plugin_ssml.model:{target}",
        config=config,
        summary=summary,
        consumes=("spikes",),
        produces=("image",),
        weights=(weights,),
        importer=f"spikecore_plugin_ssml.importer:{name}",
        license="MIT",
        citation=CHEN_2022,
    )


@hookimpl
def spikecore_add_commands(group: click.Group) -> None:
    """See `spikecore.plugin.hookspecs`."""
    from spikecore_plugin_ssml.commands import ssml

    group.add_command(ssml)
