"""Texture from short-term plasticity (TFSTP): the spike rate that a synapse has adapted to, read from its state.

Zheng et al., "High-Speed Image Reconstruction Through Short-Term Plasticity for Spiking Cameras", CVPR 2021, and
"Capture the Moment: High-Speed Imaging With Spiking Cameras Through Short-Term Plasticity", TPAMI 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from spikecore import Window
from spikecore_plugin_classic.config import Display, Formula
from spikecore_plugin_classic.intensity import spikes_of, with_gamma
from spikecore_plugin_classic.plasticity import Synapses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spikecore import Batch, SpikeStream
    from spikecore_plugin_classic.config import TfstpConfig

    Image = NDArray[np.float32]

RECOVERED = 2.0**-18
"""1 - R of which float32 keeps less than two digits: reached with D = 1 by intervals longer than about 12 frames."""


class Tfstp:
    """Mean of the rates that resources and utilisation stand for, in spikes per frame.

    A pixel that fires every n frames reaches the image 1/n, to 0.2 % up to n = 10·F; beyond about 16·F, u comes to rest
    in float32 and the image is 0. Every frame of the recording up to the instant is taken in, and none after it; a
    session takes each in once.
    """

    window = Window()

    def __init__(self, config: TfstpConfig) -> None:
        self.config = config

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """Float32 (N, 1, H, W). The states live in main memory, whatever the device of the batch."""
        spikes = spikes_of(batch)
        pairs = zip(spikes.streams, spikes.at, strict=True)
        images = np.stack([self.session(stream).image(int(at)) for stream, at in pairs])
        return torch.from_numpy(images)[:, None].to(spikes.device)

    def session(self, stream: SpikeStream) -> TfstpSession:
        """Images of one recording at instants in non-decreasing order; the same values as `reconstruct`."""
        return TfstpSession(self.config, stream)


class TfstpSession:
    """TFSTP of one recording, each frame taken in once."""

    def __init__(self, config: TfstpConfig, stream: SpikeStream) -> None:
        self.config = config
        self.synapses = Synapses(config, stream)

    def image(self, at: int) -> Image:
        """Float32 (H, W): spikes per frame, or what `display` says."""
        self.synapses.advance(at)
        show = spikecv_display if self.config.display is Display.SPIKECV else mean_rate
        image = show(self.synapses.resources, self.synapses.used, self.config)
        return with_gamma(image, self.config.gamma)


def rates(resources: Image, used: Image, config: TfstpConfig) -> tuple[Image, Image]:
    """(rho_R, rho_u): the rates at which the states would stand still, in spikes per frame; 0 for states at rest.

    The update of R with R unchanged gives exp(-1 / (rho·D)) = (1 - R) / (1 - R(1 - u)); that of u gives
    exp(-1 / (rho·F)) = (u - u0) / (f - u0 + u(1 - f)). The published code has F in place of the first f ("compat").
    """
    one, u0, f = np.float32(1), np.float32(config.u0), np.float32(config.f)
    first = config.F if config.formula is Formula.COMPAT else config.f
    with np.errstate(divide="ignore"):  # the logarithm of 0 is -inf, which makes the rate 0
        rho_r = -one / (np.float32(config.D) * np.log((one - resources) / (one - resources * (one - used))))
        faded = np.log((used - u0) / (np.float32(first - config.u0) + used * (one - f)))
        rho_u = -one / (np.float32(config.F) * faded)
    return rho_r, rho_u


def mean_rate(resources: Image, used: Image, config: TfstpConfig) -> Image:
    """The mean of both rates; the rate of u alone where R has recovered so far that its rest is rounding."""
    rho_r, rho_u = rates(resources, used, config)
    image: Image = np.where(1 - resources > RECOVERED, (rho_r + rho_u) / 2, rho_u)
    return image


def spikecv_display(resources: Image, used: Image, config: TfstpConfig) -> Image:
    """As SpikeCV shows it: rho_R + rho_u, min-max scaled to 8 bits, truncated, histogram equalised; in [0, 1]."""
    import cv2  # no other option needs it

    total = np.sum(rates(resources, used, config), axis=0)
    low, high = total.min(), total.max()
    grey = ((total - low) / (high - low) * 255 if high > low else np.zeros_like(total)).astype(np.uint8)
    return np.asarray(cv2.equalizeHist(grey), np.float32) / np.float32(255)
