"""A host with the methods of these tests."""

from __future__ import annotations

import pytest

from spikecore.plugin.host import PluginHost

from . import mean


@pytest.fixture
def host():
    host = PluginHost.discover(allow=["builtin"], block=[])
    host.register(mean.Plugin(), "fake")
    return host
