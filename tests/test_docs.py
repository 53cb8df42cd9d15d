"""README, CONTRIBUTING and docstrings say what is true. Run as a script, this file writes the plugin table."""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import spikecore
from spikecore.plugin.host import PluginHost

sys.path.insert(0, str(Path(__file__).parent))
from test_layers import RINGS

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TABLE = re.compile(r"(<!-- plugins: begin[^\n]*-->\n).*?(<!-- plugins: end -->)", re.DOTALL)


def plugin_table():
    host = PluginHost.discover(allow=["builtin", *(plugin["name"] for plugin in repository_plugins())], block=[])
    lines = ["| plugin | what it is | components | licence |", "|---|---|---|---|"]
    for name in ["builtin", *sorted(plugin["name"] for plugin in repository_plugins())]:
        status = host.statuses[name]
        assert status.state == "ok", status
        ids = ", ".join(f"`{c.id}`" for c in host.components() if c.plugin == name)
        where = "the core" if name == "builtin" else f"[{status.distribution}](plugins/{status.distribution})"
        lines.append(f"| {where} | {status.info.summary} | {ids} | {status.info.license} |")
    return "\n".join(lines) + "\n"


def repository_plugins():
    for path in sorted((ROOT / "plugins").glob("*/pyproject.toml")):
        project = tomllib.loads(path.read_text())["project"]
        (name,) = project["entry-points"]["spikecore.plugins"]
        yield {"name": name, "project": project, "folder": path.parent}


def test_the_plugin_table_is_fresh():
    written = TABLE.search(README.read_text())
    assert written, "the README has no plugin table"
    assert plugin_table() in written.group(0), "run: python tests/test_docs.py"


@pytest.mark.parametrize("plugin", list(repository_plugins()), ids=lambda plugin: plugin["name"])
def test_every_plugin_has_the_same_shape(plugin):
    package = f"spikecore_plugin_{plugin['name'].replace('-', '_')}"
    assert plugin["project"]["name"] == f"spikecore-plugin-{plugin['name']}" == plugin["folder"].name
    options = [] if plugin["name"] in ("dask", "evaluate", "results") else [f"src/{package}/config.py"]
    for path in ("README.md", f"src/{package}/__init__.py", f"src/{package}/py.typed", "tests", *options):
        assert (plugin["folder"] / path).exists(), path
    assert plugin["project"]["entry-points"]["spikecore.plugins"] == {plugin["name"]: package}


def console_blocks():
    for path in (README, ROOT / "CONTRIBUTING.md", *(p["folder"] / "README.md" for p in repository_plugins())):
        for block in re.findall(r"```console\n(.*?)```", path.read_text(), re.DOTALL):
            for line in block.splitlines():
                if line.startswith("$ "):
                    yield path.parent.name, line[2:].partition("   #")[0].strip()


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the recording the README talks about, and the examples."""
    folder = tmp_path_factory.mktemp("readme")
    host = PluginHost.discover()
    stream = host.build(host.find("builtin/scene"), {"length": 120})[0].spikes
    spikecore.save(stream, folder / "data.dat", host=host)
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "plugins").symlink_to(ROOT / "plugins")
    return folder


ELSEWHERE = {
    "make": "run by hand and by the test command itself",
    "pip": "the tests of examples and of new-plugin install into a fresh venv",
    "pytest": "the tests of new-plugin run the rendered project's tests",
}


@pytest.mark.parametrize(("where", "command"), sorted(set(console_blocks())))
def test_every_command_in_the_docs_runs(workplace, where, command):
    words = shlex.split(command)
    if words[0] in ELSEWHERE:
        return
    assert words[0] == "spikecore", f"{where}: unknown program {words[0]}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SPIKECORE_")}
    done = subprocess.run(
        [sys.executable, "-m", "spikecore", *words[1:]],
        cwd=workplace,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    if "-o" in words:
        assert (workplace / words[words.index("-o") + 1]).stat().st_size > 0


def test_the_python_in_the_readme_runs(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["image"].shape == (250, 400)
    assert names["image"].dtype == "float32"
    assert 0 <= names["image"].min() < names["image"].max() <= 1


def test_contributing_maps_the_tree():
    """Every ring and every module is in the map, and nothing else; the diagram shows the rings in their order."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (block,) = re.findall(r"<!-- map: begin -->\n```\n(.*?)```", text, re.DOTALL)
    mapped = {}
    for line in block.splitlines():
        if found := re.match(r"(\w+)(/?)\s{2,}(.*)", line):
            ring, folder, rest = found.groups()
            mapped[ring + folder] = set(re.findall(r"\w+", rest.partition(":")[0])) if folder else set()
        elif line.startswith(" "):
            mapped[ring + folder] |= set(re.findall(r"\w+", line.partition(":")[0]))
    core = ROOT / "spikecore"
    real = {
        f"{folder.name}/": {path.stem for path in folder.glob("*.py")} - {"__init__"}
        for folder in core.iterdir()
        if (folder / "__init__.py").exists()
    }
    real |= {path.stem: set() for path in core.glob("*.py") if not path.stem.startswith("_")}
    assert {ring: sorted(names) for ring, names in mapped.items()} == {
        ring: sorted(name for name in names if not name.startswith("_")) for ring, names in real.items()
    }
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    drawn = re.findall(r"\w+\[\"(.*?)\"\]", diagram)
    assert [set(re.findall(r"\w+", label)) for label in drawn] == [
        {name for name in ring if not name.startswith("_")} for ring in RINGS
    ]


def public_modules():
    for info in pkgutil.walk_packages(spikecore.__path__, "spikecore."):
        if not any(part.startswith("_") for part in info.name.split(".")) and ".templates" not in info.name:
            yield info.name


@pytest.mark.parametrize("name", sorted(public_modules()))
def test_public_names_have_docstrings_and_examples_are_right(name):
    module = importlib.import_module(name)
    assert module.__doc__, name
    for key, value in vars(module).items():
        if key.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"{name}.{key}"
        if inspect.isclass(value):
            for method, body in vars(value).items():
                if inspect.isfunction(body) and not method.startswith("_"):
                    assert inspect.getdoc(getattr(value, method)), f"{name}.{key}.{method}"
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


def test_the_documentation_picture_exists():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text()):
        assert (ROOT / link).exists(), link


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spikecore.nothing


if __name__ == "__main__":
    README.write_text(TABLE.sub(lambda found: found.group(1) + plugin_table() + found.group(2), README.read_text()))
