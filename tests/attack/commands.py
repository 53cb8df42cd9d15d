"""Every command that writes, with what it writes told apart by value: complete, and which of two runs made it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import attrs
import h5py
import numpy as np
from safetensors.numpy import load_file

LENGTH, HEIGHT, WIDTH = 300, 64, 96


@attrs.frozen
class Command:
    """A command that writes into the current folder.

    Args:
        words: What is typed, {clip} being a recording, {weights} a checkpoint and {video} a film.
        old: Further words of a run that wrote there before; None where the command wants a new place.
        new: Further words of the run that is looked at.
        module: Whose command it is: python -m MODULE.
        apart: What it writes are items of their own, each whole or not there; else all is one thing with companions.
    """

    words: str
    old: str | None = None
    new: str = ""
    apart: bool = False
    module: str = "spikecore"

    def line(self, given: Mapping[str, Path], words: str) -> list[str]:
        """The command line of a run."""
        return [sys.executable, "-m", self.module, *f"{self.words} {words}".format(**given).split()]


_SCENE = "--set height=48 --set width=64 --set length=60"
_MEAN = "reconstruct {clip} -m classic/tfp"
_OLD, _NEW = "--set window=11", "--set window=41"
COMMANDS = {
    "convert dat": Command("convert {clip} out.dat", "--stop 200"),
    "convert npz": Command("convert {clip} out.npz", "--stop 200"),
    "convert npy": Command("convert {clip} out.npy", "--stop 200"),
    "convert h5": Command("convert {clip} out.h5", "--stop 200"),
    "reconstruct png": Command(f"{_MEAN} -o out.png --at 100", _OLD, _NEW),
    "reconstruct npy": Command(f"{_MEAN} -o out.npy", _OLD, _NEW),
    "reconstruct h5": Command(f"{_MEAN} -o out.h5", _OLD, _NEW),
    "reconstruct mp4": Command(f"{_MEAN} -o out.mp4", _OLD, _NEW),
    "reconstruct avi": Command(f"{_MEAN} -o out.avi", _OLD, _NEW),
    "reconstruct webm": Command(f"{_MEAN} -o out.webm --stop 120", _OLD, _NEW),
    "reconstruct folder": Command(f"{_MEAN} -o out", apart=True),
    "run": Command("run {experiment} -o out.npy", "--set reconstructor.window=11", "--set reconstructor.window=41"),
    "simulate": Command(f"simulate scene -o out.dat {_SCENE}", "--set seed=1", "--set seed=2"),
    "simulate npz": Command(f"simulate scene -o out.npz {_SCENE}", "--set seed=1", "--set seed=2"),
    "simulate events": Command(
        f"simulate scene -o out.events.h5 --camera events {_SCENE}", "--set seed=1", "--set seed=2"
    ),
    "simulate clips": Command(f"simulate scene -o out --clips 4 {_SCENE}", apart=True),
    "simulate event clips": Command(f"simulate scene -o out --clips 4 --camera events {_SCENE}", apart=True),
    "simulate-classes": Command(
        "simulate-classes --dataset cifar --data-root out --num-train 1 --num-test 1 --num-frames 20", apart=True
    ),
    "spikling-pairs": Command("spikling-pairs {video} -o out", apart=True),
    "spikling-video": Command("spikling-video {clip} -o out.avi -m window", "--window 16", "--window 32"),
    "weights import": Command("weights import baseline/conv {weights} --name other", new="--force"),
    "ssml split": Command("ssml split {mutual} -o out"),
    "evaluate": Command("evaluate {clip} -m classic/tfp -o out", apart=True),
    "compare": Command("compare {clip} -m classic/tfp -o out.png", "--at 100", "--at 120"),
}

_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)  # SIGXFSZ is ignored by Python: writing fails
os.execv(sys.argv[2], sys.argv[2:])
"""
_OTHERWISE = (
    (re.compile(rb"\d{4}-\d\d-\d\d[T ][\d:.+Z-]*"), b"@"),
    (re.compile(rb"[0-9a-f]{16,}"), b"X"),
    (re.compile(rb"-?\d+\.\d+(e-?\d+)?"), b"#"),
)
"""Times, hashes of files that lie elsewhere, and measured values differ between equal runs."""


def given(folder: Path) -> dict[str, Path]:
    """Write what the commands read; a name for each."""
    import cv2
    import spikecore_plugin_ssml
    import torch
    from papers import conv_tensors

    random = np.random.default_rng(0)
    files = {name: folder / f"{name}.{suffix}" for name, suffix in
             (("clip", "npy"), ("weights", "pth"), ("experiment", "toml"), ("video", "avi"))}  # fmt: skip
    np.save(files["clip"], random.random((LENGTH, HEIGHT, WIDTH)) < 0.3)
    torch.save(conv_tensors(), files["weights"])
    files["experiment"].write_text(
        f'[source]\nuse = "vidar/npy"\npath = "{files["clip"]}"\n[reconstructor]\nuse = "classic/tfp"\n'
    )
    writer = cv2.VideoWriter(str(files["video"]), cv2.VideoWriter.fourcc(*"MJPG"), 30, (WIDTH, HEIGHT), True)
    for number in range(120):
        writer.write(np.roll(random.integers(0, 256, (HEIGHT, WIDTH, 3)), number, 1).astype(np.uint8))
    writer.release()
    return {**files, "mutual": Path(spikecore_plugin_ssml.__file__).parent / "weights" / "mutual.safetensors"}


def start(line: Sequence[str], folder: Path, limit: int | None = None) -> subprocess.Popen[str]:
    """Start a command in a folder, with all it remembers inside; with `limit`, no file grows beyond so many bytes."""
    if limit is not None:
        line = [sys.executable, "-c", _LIMITED, str(limit), *line]
    remembered = {"SPIKECORE_RESULTS": "remembered/results.sqlite", "SPIKECORE_CACHE": "cache"}
    environment = {**os.environ, **remembered, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        line, cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def unfinished(folder: Path) -> list[str]:
    """Names of half-written files that are still there; what a stopped run keeps for its user is not hidden."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*.partial*"))


def contents(folder: Path) -> dict[str, str]:
    """Hashes of the values of all files that have their names; "unreadable" where one is no whole file of its kind."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    shown = {path: str(path.relative_to(folder)) for path in files}
    return {
        name: _value(path, folder)
        for path, name in shown.items()
        if not path.name.startswith(".") and ".partial" not in path.name and not name.endswith("-journal")
    }


def _value(path: Path, folder: Path) -> str:
    try:
        held = _bytes(path)
    except Exception as error:
        return f"unreadable: {type(error).__name__}: {error}"[:200]
    return sha256(_plain(held.replace(str(folder).encode(), b"HERE"))).hexdigest()[:12]


def _plain(held: bytes) -> bytes:
    try:
        held.decode()
    except UnicodeDecodeError:
        return held
    for pattern, instead in _OTHERWISE:
        held = pattern.sub(instead, held)
    return held


def _bytes(path: Path) -> bytes:
    if path.suffix == ".h5":
        with h5py.File(path, "r") as file:
            parts: list[bytes] = [_plain(repr(sorted(file.attrs.items())).encode())]
            names: list[str] = []
            file.visit(names.append)
            for name in names:
                node = file[name]
                parts += [name.encode(), node[...].tobytes() if isinstance(node, h5py.Dataset) else b""]
            return b"\xff".join(parts)
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return b"\xff".join(name.encode() + archive[name].tobytes() for name in sorted(archive.files))
    if path.suffix == ".safetensors":
        tensors = load_file(path)
        return b"\xff".join(name.encode() + tensors[name].tobytes() for name in sorted(tensors))
    if path.suffix == ".webm":  # its identity is drawn by lot
        return _frames(path)
    if path.suffix == ".npy":
        return b"\xff" + np.load(path, mmap_mode="r").tobytes()
    if path.suffix == ".json":
        json.loads(path.read_bytes())
    if path.suffix == ".sqlite":
        store = sqlite3.connect(path)
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        store.close()
        return b""
    if not path.stat().st_size:
        raise ValueError("an empty file")
    return path.read_bytes()


def _frames(path: Path) -> bytes:
    import cv2

    film = cv2.VideoCapture(str(path))
    pictures = []
    while True:
        more, picture = film.read()
        if not more:
            return b"\xff" + b"".join(pictures)
        pictures.append(picture.tobytes())
