"""The training engine `train/loop` and losses of pictures. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from spikecore import Component, Kind, PluginInfo, hookimpl
from spikecore_plugin_train.config import LoopConfig, NoOptions, NormConfig

if TYPE_CHECKING:
    import click


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo(
        "one training engine for every method: stages as data, exact resume, many processes", license="MIT"
    )


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.TRAINER,
        "loop",
        target="spikecore_plugin_train.loop:Loop",
        config=LoopConfig,
        summary="runs the stages of a recipe on one process or many, and goes on exactly where it was killed",
        license="MIT",
    )
    images = {
        "l1": ("L1", "mean absolute difference of images"),
        "l2": ("L2", "mean squared difference of images"),
        "charbonnier": ("Charbonnier", "a smooth mean absolute difference of images"),
    }
    for name, (target, summary) in images.items():
        yield _loss(name, target, NoOptions, summary, "image")
    yield _loss("video", "Video", NormConfig, "difference of videos, by a norm of choice", "video")
    yield _loss("depth", "Depth", NormConfig, "difference of depth where it is known, by a norm of choice", "depth")


def _loss(name: str, target: str, config: type, summary: str, kind: str) -> Component:
    return Component(
        Kind.LOSS,
        name,
        target=f"spikecore_plugin_train.losses:{target}",
        config=config,
        summary=summary,
        consumes=(kind,),
        targets=(kind,),
        license="MIT",
    )


@hookimpl
def spikecore_add_commands(group: click.Group) -> None:
    """See `spikecore.plugin.hookspecs`."""
    from spikecore_plugin_train.commands import launch, train

    group.add_command(train)
    group.add_command(launch)
