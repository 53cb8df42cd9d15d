"""What a fresh Python process imports to list and describe the components of one plugin."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

HEAVY = ("torch", "cv2", "numba", "h5py", "av", "scipy", "matplotlib", "tensorflow", "jax")
"""Modules that take long to import; no declaration may need them."""

_CHILD = """
import json, sys
plugin, sys.path[:] = json.loads(sys.argv[1])
from spikecore.plugin.options import describe
from spikecore.plugin.host import PluginHost
host = PluginHost.discover(allow=[plugin], block=[])
for component in host.components():
    describe(component.config)
status = host.statuses.get(plugin)
reason = "no such plugin is installed" if status is None else status.reason
print(json.dumps({"reason": reason, "modules": sorted(sys.modules)}))
"""


def listing(plugin: str) -> Mapping[str, Any]:
    """List a plugin in a fresh process: {"reason": why it is not admitted, or "", "modules": names imported}."""
    return _listing(plugin, tuple(sys.path))


@cache
def _listing(plugin: str, path: tuple[str, ...]) -> Mapping[str, Any]:
    command = [sys.executable, "-c", _CHILD, json.dumps([plugin, path])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        return {"reason": done.stderr.strip(), "modules": []}
    report: dict[str, Any] = json.loads(done.stdout)
    return report
