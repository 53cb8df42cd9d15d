"""Texture from interval (TFI): one over the inter-spike interval at the instant.

Zhu, Dong, Huang, Tian, "A Retina-Inspired Sampling Method for Visual Texture Reconstruction", ICME 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from spikecore_plugin_classic.config import Silent
from spikecore_plugin_classic.intensity import spikes_of, with_gamma
from spikecore_plugin_classic.rules import RULES

if TYPE_CHECKING:
    from spikecore import Batch
    from spikecore_plugin_classic.config import TfiConfig


class Tfi:
    """rate = 1 / interval, in spikes per frame."""

    def __init__(self, config: TfiConfig) -> None:
        self.config = config
        self.rule = RULES[config.rule]
        self.search = self.rule.search if config.search is None else config.search
        self.window = self.rule.window(self.search)

    def reconstruct(self, batch: Batch, /) -> torch.Tensor:
        """Float32 (N, 1, H, W) in [0, 1], of a batch that was cut to `window`."""
        around = self.rule.around(spikes_of(batch), self.search)
        interval = self.rule.interval(around)
        if self.config.silent is Silent.ZERO:
            interval = torch.where(around.silent, 0, interval)
        rate = torch.where(interval > 0, interval.to(torch.float32).reciprocal(), 0.0)
        return with_gamma(rate, self.config.gamma)
