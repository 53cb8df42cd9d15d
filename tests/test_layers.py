"""The house rules that a reader of imports can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

CORE = sorted(path for path in (ROOT / "spikecore").rglob("*.py") if "templates" not in path.parts)
PLUGINS = sorted((ROOT / "plugins").glob("*/src/*"))
HEAVY = {"torch", "numba", "cv2", "h5py", "av"}
TORCH_FREE = {  # modules of the core that listing, checking and opening need
    "errors", "component", "hookspecs", "observe", "config", "host", "experiment", "api", "output", "record", "weights",
    "spikes", "events", "sample", "batch", "interfaces", "live", "statistics", "ahead", "grid", "sinks",
    "scaffold", "results", "tracker", "tables", "jobs", "pool", "inputs", "claim", "quiet", "stopping", "__init__",
}  # fmt: skip


def imports(path, everywhere=False):
    """Modules a file imports at module level, without those under TYPE_CHECKING; or everywhere."""
    tree = ast.parse(path.read_text())
    nodes = list(ast.walk(tree)) if everywhere else top_level(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def top_level(tree):
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_light_modules_import_nothing_heavy(path):
    package = path.relative_to(ROOT / "spikecore").parts[0]
    light = path.stem in TORCH_FREE if len(path.relative_to(ROOT / "spikecore").parts) == 1 else package == "cli"
    if light:
        assert not {name.partition(".")[0] for name in imports(path)} & HEAVY


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_no_plugin(path):
    assert not [name for name in imports(path, everywhere=True) if name.startswith("spikecore_plugin")]


@pytest.mark.parametrize("package", PLUGINS, ids=lambda path: path.name)
def test_plugins_import_no_other_plugin_and_declare_without_heavy_modules(package):
    for path in package.rglob("*.py"):
        others = [
            name
            for name in imports(path, everywhere=True)
            if name.startswith("spikecore_plugin") and name.partition(".")[0] != package.name
        ]
        assert not others, path
    for name in ("__init__.py", "config.py"):
        assert not {module.partition(".")[0] for module in imports(package / name)} & (HEAVY | {"numpy"}), name


@pytest.mark.parametrize("path", CORE + [p for package in PLUGINS for p in package.rglob("*.py")], ids=lambda p: p.name)
def test_files_are_small_and_quiet(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 350, f"{path} is too long to read at once"
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    assert "print" not in names, path
    words = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    assert "pickle" not in words


def test_importing_spikecore_and_listing_costs_no_torch():
    code = (
        "import sys, spikecore as sc\n"
        "names = [sc.SpikeStream, sc.EventStream, sc.Sample, sc.Batch, sc.Window, sc.collate, sc.Live]\n"
        "import spikecore.kernels\n"
        "sc.list_components()\n"
        "print(sorted({'torch', 'numba', 'cv2', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["list"], ["plugins"], ["show", "builtin/scene"], ["doctor"], ["--help"]])
def test_looking_around_on_the_command_line_costs_no_torch(arguments):
    code = (
        "import sys\nfrom spikecore.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(sorted({'torch', 'numba', 'cv2', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
