"""What is installed, what is broken and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import spikecore

from .plugins import install


def test_list_and_show(run):
    listed = json.loads(run("list", "--json"))
    assert {"builtin/scene", "vidar/dat", "classic/tfi"} <= {row["id"] for row in listed}
    assert {row["kind"] for row in json.loads(run("list", "--kind", "metric", "--json"))} == {"metric"}
    assert "classic/tfi" in run("list")
    shown = json.loads(run("show", "classic/tfp", "--json"))
    assert shown["consumes"] == ["spikes"]
    assert shown["produces"] == ["image"]
    assert shown["license"] == "MIT"
    assert "2019" in shown["citation"]
    assert all(option["help"] for option in shown["options"])
    text = run("show", "tfp")
    assert "window" in text
    assert "licence:" in text


def test_plugins_and_doctor(run):
    states = {row["name"]: row["state"] for row in json.loads(run("plugins", "--json", "--strict"))}
    assert states["builtin"] == states["vidar"] == states["classic"] == "ok"
    report = json.loads(run("doctor", "--json", "--strict"))
    assert report["problems"] == []
    assert report["devices"][0].startswith("cpu")
    assert "no problems found" in run("doctor")


def test_a_broken_plugin_is_reported_with_its_remedy(run, tmp_path, monkeypatch):
    install(tmp_path / "site", "broken", "import a_library_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert "builtin/scene" in run("list")
    problem = json.loads(run("doctor", "--json"))["problems"][0]
    assert problem["plugin"] == "broken"
    assert problem["remedy"] == "pip install a_library_that_is_not_there"
    assert "a_library_that_is_not_there" in run("list", "--strict", code=1)
    assert "a_library_that_is_not_there" in run("--strict", "show", "tfp", code=1)
    run("doctor", "--strict", code=1)
    assert "spikecore doctor" in run("show", "broken/net", code=2)
    assert "disabled" in run("--disable", "broken", "plugins", "--strict")
    assert "ok" in run("--plugins", "builtin", "plugins", "--strict")


NOISY = """
print("text at import")
import attrs
from spikecore import Component, PluginInfo, hookimpl

@attrs.frozen
class Options:
    pass

@hookimpl
def spikecore_info():
    print("text in a hook")
    return PluginInfo("prints")

@hookimpl
def spikecore_components():
    yield Component("reconstructor", "a", "spikecore_plugin_noisy.a:A", Options, "a", "spikes", "image")

@hookimpl
def spikecore_add_commands(group):
    print("text of commands")
"""


def test_what_plugins_print_leaves_json_alone(run, recording, site):
    install(
        site, "noisy", NOISY, a="print('more text')\nclass A:\n    def __init__(self, config):\n        {}['key']\n"
    )
    assert "noisy/a" in {row["id"] for row in json.loads(run("list", "--json"))}
    said = run("reconstruct", recording, "-m", "noisy/a", code=1)
    assert "noisy/a cannot be built: KeyError: 'key'" in said
    assert "Traceback" not in said
    assert "more text" in said
    assert "text of commands" not in run("--help")


def test_the_command_is_installed():
    done = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "spikecore"), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert spikecore.__version__ in done.stdout
