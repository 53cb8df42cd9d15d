"""The classical reconstructions of spike cameras: TFP, TFI and TFSTP. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from spikecore import Component, Kind, PluginInfo, hookimpl
from spikecore_plugin_classic.config import TfiConfig, TfpConfig, TfstpConfig

ZHU_2019 = """\
@inproceedings{zhu2019retina,
  title     = {A Retina-Inspired Sampling Method for Visual Texture Reconstruction},
  author    = {Zhu, Lin and Dong, Siwei and Huang, Tiejun and Tian, Yonghong},
  booktitle = {IEEE International Conference on Multimedia and Expo (ICME)},
  year      = {2019}
}"""

ZHENG_2021_2023 = """\
@inproceedings{zheng2021high,
  title     = {High-Speed Image Reconstruction Through Short-Term Plasticity for Spiking Cameras},
  author    = {Zheng, Yajing and Zheng, Lingxiao and Yu, Zhaofei and Shi, Boxin and Tian, Yonghong and Huang, Tiejun},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2021}
}
@article{zheng2023capture,
  title   = {Capture the Moment: High-Speed Imaging With Spiking Cameras Through Short-Term Plasticity},
  author  = {Zheng, Yajing and Zheng, Lingxiao and Yu, Zhaofei and Huang, Tiejun and Wang, Song},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  year    = {2023}
}"""


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("TFP, TFI and TFSTP: images from counts, intervals and short-term plasticity", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.RECONSTRUCTOR,
        "tfp",
        target="spikecore_plugin_classic.tfp:Tfp",
        config=TfpConfig,
        summary="texture from playback: the mean of a window of spike frames",
        consumes=("spikes",),
        produces=("image",),
        license="MIT",
        citation=ZHU_2019,
    )
    yield Component(
        Kind.RECONSTRUCTOR,
        "tfi",
        target="spikecore_plugin_classic.tfi:Tfi",
        config=TfiConfig,
        summary="texture from interval: one over the time between two spikes, by four published rules",
        consumes=("spikes",),
        produces=("image",),
        license="MIT",
        citation=ZHU_2019,
    )
    yield Component(
        Kind.RECONSTRUCTOR,
        "tfstp",
        target="spikecore_plugin_classic.tfstp:Tfstp",
        config=TfstpConfig,
        summary="texture from short-term plasticity: the rate that a model synapse of each pixel has adapted to",
        consumes=("spikes",),
        produces=("image",),
        license="MIT",
        citation=ZHENG_2021_2023,
    )
