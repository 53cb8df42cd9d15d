"""The components keep the promises of their interfaces."""

from spikecore.testing import ModelContract


class TestConv(ModelContract):
    component = "baseline/conv"
