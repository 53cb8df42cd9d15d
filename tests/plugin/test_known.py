"""What is missing is named with the distribution to install; the table behind it is what the plugins have."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

import spikecore as sc
from spikecore.cli import main
from spikecore.plugin.known import install_hint, known

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def host():
    return sc.PluginHost.discover()


def commands_of(plugin):
    group = click.Group()
    if hasattr(plugin, "spikecore_add_commands"):
        plugin.spikecore_add_commands(group=group)
    return sorted(group.commands)


def test_the_table_is_what_the_plugins_declare(host):
    plugins = dict(host.plugins())
    folders = {path.name for path in (ROOT / "plugins").iterdir() if (path / "pyproject.toml").exists()}
    assert set(known()) == folders
    for distribution, entry in known().items():
        name = entry["plugin"]
        assert distribution == f"spikecore-plugin-{name}"
        patterns = {pattern for one in host.components("source") if one.plugin == name for pattern in one.patterns}
        assert set(entry.get("patterns", ())) == patterns
        assert sorted(entry.get("commands", ())) == commands_of(plugins[name])
    executors = [name for entry in known().values() for name in entry.get("executors", ())]
    assert all(host.hook.spikecore_executor(name=name, workers=1, address="") for name in executors)


def test_the_extras_name_every_plugin():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    useful = {f"spikecore-plugin-{name}" for name in ("vidar", "classic", "evaluate", "results", "simulate")}
    assert useful <= set(extras["standard"])
    assert {one for one in extras["standard"] + extras["all"] if "-plugin-" in one} == set(known())


@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("night.dat", "vidar"), ("NIGHT.NPZ", "vidar"), ("clip.mp4", "simulate"), ("pair.events.h5", "simulate"),
        ("folder/", "vidar"), ("notes.txt", None),
    ],
)  # fmt: skip
def test_a_file_that_nothing_reads_names_what_does(name, distribution, tmp_path):
    path = tmp_path / name
    path.mkdir() if name.endswith("/") else path.write_bytes(b"\x01" * 64)
    with pytest.raises(sc.SpikeFormatError) as refusal:
        sc.open(path, host=sc.PluginHost())
    text = str(refusal.value)
    assert "readable here: ;" not in text
    if distribution is None:
        assert "choose a reader" in text
    else:
        assert text.endswith(f"try: pip install spikecore-plugin-{distribution}")
    assert install_hint(file=name, installed=frozenset({"vidar", "simulate"})) == ""


def test_a_recording_that_nothing_writes_names_what_does(tmp_path):
    stream = sc.SpikeStream.from_frames([[[1, 0]]])
    with pytest.raises(sc.OutputError, match="pip install spikecore-plugin-vidar"):
        sc.save(stream, tmp_path / "out.dat", host=sc.PluginHost())


def test_a_component_of_a_plugin_that_is_not_there_names_it(tmp_path):
    with pytest.raises(sc.UnknownComponent, match="pip install spikecore-plugin-ssml"):
        sc.PluginHost().find("ssml/nbsn")
    with pytest.raises(sc.UsageError, match="no installed plugin evaluates\n  try: pip install spikecore-plugin-eval"):
        sc.evaluate({}, host=sc.PluginHost())


@pytest.mark.parametrize("command", ["train", "evaluate", "results"])
def test_a_command_that_is_not_there_names_its_plugin(command, capsys, monkeypatch):
    builtin = [point for point in entry_points(group="spikecore.plugins") if point.name == "builtin"]
    monkeypatch.setattr("spikecore.plugin.host.entry_points", lambda group: builtin)
    with pytest.raises(SystemExit) as end:
        main([command, "x"])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert f"try: pip install spikecore-plugin-{command}" in said
    assert "did you mean" not in said


def test_a_command_of_a_plugin_that_is_switched_off_says_so(capsys):
    with pytest.raises(SystemExit):
        main(["--disable", "train", "train", "x"])
    assert "its plugin 'train' is disabled" in capsys.readouterr().err
