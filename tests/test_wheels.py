"""Built wheels work on their own, outside the source tree, and say what to add for the rest."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import numpy as np, spikecore as sc
spikes = np.random.default_rng(0).random((80, 24, 32)) < 0.3
image = sc.reconstruct(sc.SpikeStream.from_frames(spikes), "ssml/nbsn")
print(sc.__file__, image.shape, image.dtype, bool(abs(image.mean() - 0.3) < 0.05))
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Runs Python in a fresh environment with the wheels of the core and of ssml, and what they depend on."""
    folder = tmp_path_factory.mktemp("alone")
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index"]
    projects = [str(ROOT), str(ROOT / "plugins" / "spikecore-plugin-ssml")]
    subprocess.run([*pip, "wheel", *options, "-w", str(wheels), *projects], check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "spikecore" not in entry.name.lower():
            (site / entry.name).symlink_to(entry)
    subprocess.run(
        [*pip, "install", *options, "--target", str(site), *map(str, wheels.glob("*.whl"))],
        check=True,
        capture_output=True,
    )

    def run(*arguments):
        command = [str(folder / "venv" / "bin" / "python"), *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)

    return run


def test_the_core_and_one_method_list_show_and_reconstruct(alone):
    listed = alone("-m", "spikecore", "list")
    assert "ssml/nbsn" in listed.stdout
    assert "classic" not in listed.stdout
    assert "blind" in alone("-m", "spikecore", "show", "ssml/bsn").stdout
    done = alone("-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout
    assert "(24, 32) float32 True" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "plugin"),
    [
        (["reconstruct", "night.dat", "-m", "ssml/nbsn"], "vidar"),
        (["info", "night.dat"], "vidar"),
        (["show", "classic/tfi"], "classic"),
        (["train", "experiment.toml"], "train"),
        (["evaluate", "experiment.toml"], "evaluate"),
        (["demo"], "evaluate"),
    ],
)
def test_what_is_missing_is_named(alone, tmp_path, arguments, plugin):
    (tmp_path / "night.dat").write_bytes(bytes(1000))
    found = [str(tmp_path / word) if word == "night.dat" else word for word in arguments]
    done = alone("-m", "spikecore", *found)
    assert done.returncode in (1, 2)
    assert f"try: pip install spikecore-plugin-{plugin}" in done.stderr
    assert "Traceback" not in done.stderr
