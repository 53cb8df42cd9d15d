"""Every component of this repository passes the contract of its kind: the core's own here, a plugin's in its tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import ClassVar

import pytest

from spikecore import Kind, PluginHost
from spikecore.testing import MetricContract, SourceContract

ROOT = Path(__file__).resolve().parents[1]
OURS = ["builtin", *(path.name.removeprefix("spikecore-plugin-") for path in sorted((ROOT / "plugins").iterdir()))]
CONTRACTS = {f"{kind.title()}Contract": kind for kind in Kind}


class TestScene(SourceContract):
    component = "builtin/scene"
    options: ClassVar = {"height": 31, "width": 33, "length": 800, "clips": 2}


class TestPsnr(MetricContract):
    component = "builtin/psnr"
    perfect = inf


def contracted() -> Iterator[tuple[Kind, str]]:
    """Kind and id of every component that a contract class in a test file names."""
    for path in [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/*/tests/**/test_*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                kinds = [CONTRACTS[base.id] for base in node.bases if getattr(base, "id", "") in CONTRACTS]
                for statement in node.body:
                    if kinds and isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "component":
                        yield kinds[0], ast.literal_eval(statement.value)


def test_every_plugin_of_the_repository_is_installed():
    host = PluginHost.discover(allow=OURS, block=[])
    assert {name: host.statuses[name].state for name in OURS} == dict.fromkeys(OURS, "ok")


@pytest.mark.parametrize(
    "component", PluginHost.discover(allow=OURS, block=[]).components(), ids=lambda found: found.id
)
def test_every_component_has_a_contract_class(component):
    assert (component.kind, component.id) in set(contracted()), (
        f"no test class derives from {component.kind.title()}Contract with component = {component.id!r}"
    )
