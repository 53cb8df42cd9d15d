"""`spikecore new-plugin` makes projects that can be installed and pass their own tests at once."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from fresh_venv import FreshVenv

from spikecore import Kind, SpikecoreError, UsageError
from spikecore.errors import OutputError
from spikecore.files.partial import owner, partial_name
from spikecore.templates.scaffold import new_plugin


def first_of(kind: Kind) -> str:
    return f"first-{kind}"


@pytest.fixture(scope="module")
def projects(tmp_path_factory) -> dict[Kind, Path]:
    folder = tmp_path_factory.mktemp("projects")
    return {kind: new_plugin(first_of(kind), kind, folder) for kind in Kind}


@pytest.fixture(scope="module")
def installed(tmp_path_factory, projects) -> FreshVenv:
    venv = FreshVenv(tmp_path_factory.mktemp("venv"))
    venv.install(*projects.values(), editable=True)
    return venv


@pytest.mark.parametrize("kind", Kind)
def test_a_project_holds_what_a_plugin_needs(projects, kind):
    project = projects[kind]
    package = f"src/spikecore_plugin_first_{kind}"
    files = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert files == {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        f"{package}/__init__.py",
        f"{package}/config.py",
        f"{package}/first_{kind}.py",
        f"{package}/py.typed",
        "tests/test_contract.py",
    }
    assert not [path for path in project.rglob("*") if path.suffix in (".py", ".md") and "${" in path.read_text()]


def test_installed_projects_are_listed(installed, projects):
    done = installed.run("spikecore", "--strict", "list", "--json")
    assert done.returncode == 0, done.stderr
    listed = {entry["id"]: entry for entry in json.loads(done.stdout)}
    for kind in projects:
        assert listed[f"{first_of(kind)}/{first_of(kind)}"]["kind"] == kind


def test_projects_pass_their_own_tests(installed, projects, tmp_path):
    report = tmp_path / "report.xml"
    options = ["-q", "-W", "error", "-p", "no:cacheprovider", "--import-mode=importlib", f"--junitxml={report}"]
    done = installed.run("pytest", *options, *map(str, projects.values()), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    passed = [case for case in ET.parse(report).iter("testcase") if case.find("skipped") is None]
    for kind in projects:
        mine = [case for case in passed if f"First{kind.title()}{kind.title()}" in case.get("classname")]
        assert len(mine) >= 10, f"only {len(mine)} tests of the {kind} ran"


def test_the_command_says_what_to_type_next(installed, tmp_path):
    done = installed.run("spikecore", "new-plugin", "blind-spot", "--kind", "loss", "--dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    project = tmp_path / "spikecore-plugin-blind-spot"
    commands = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert commands == [f"pip install -e {project}", "spikecore show blind-spot/blind-spot", f"pytest {project}"]
    assert project.is_dir()


def test_the_command_refuses_with_one_line(installed, tmp_path):
    done = installed.run("spikecore", "new-plugin", "builtin", "--kind", "loss", "--dir", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "error: plugin name 'builtin' is reserved; choose another\n"
    done = installed.run("spikecore", "new-plugin", first_of(Kind.LOSS), "--kind", "loss", "--dir", str(tmp_path))
    assert done.returncode == 2
    assert "'first-loss' is installed already" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    ["", "Mean", "my_mean", "-mean", "mean-", "my--mean", "2d", "mean/mean", "../mean", "a b", "import", "config"],
)
def test_bad_names_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match="plugin name"):
        new_plugin(name, "loss", tmp_path)
    assert not list(tmp_path.iterdir())


def test_unknown_kinds_name_the_closest(tmp_path):
    with pytest.raises(UsageError, match=r"no kind 'reconstruct': did you mean reconstructor\?"):
        new_plugin("mean", "reconstruct", tmp_path)


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    child = os.fork()
    if child == 0:
        partial_name(tmp_path / "spikecore-plugin-mine", owner()).mkdir()
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(tmp_path.iterdir())) == 1
    new_plugin("mine", Kind.METRIC, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["spikecore-plugin-mine"]


def test_an_existing_folder_is_left_alone(tmp_path):
    project = tmp_path / "spikecore-plugin-mean"
    project.mkdir()
    (project / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="exists already; choose another name"):
        new_plugin("mean", "loss", tmp_path)
    assert [path.name for path in project.iterdir()] == ["thesis.txt"]


def test_a_missing_place_says_how_to_make_it(tmp_path):
    with pytest.raises(OutputError, match="mkdir -p"):
        new_plugin("mean", "loss", tmp_path / "nowhere")


def test_nothing_is_left_of_a_project_that_could_not_be_finished(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SpikecoreError, match="No space left on device"):
        new_plugin("mean", "loss", tmp_path)
    assert not list(tmp_path.iterdir())
