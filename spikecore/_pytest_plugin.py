"""The pytest plugin that comes with spikecore. Imports nothing heavy: every pytest run loads it.

It lies outside `spikecore.testing` because assertions can only be made to explain themselves before that package is
imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spikecore.plugin.host import PluginHost

pytest.register_assert_rewrite("spikecore.testing")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker of the contract tests known, for projects that run pytest with strict markers."""
    config.addinivalue_line("markers", "gpu: needs a CUDA device")


@pytest.fixture
def plugin_host() -> PluginHost:
    """An empty host that discovers nothing; `plugin_host.register(plugin, "name")` admits what a test needs."""
    from spikecore.plugin.host import PluginHost

    return PluginHost()
