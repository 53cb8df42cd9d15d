"""Files that once did harm, where SPIKECORE_SHARED/attacks holds some: each is refused or read with its right value."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import attrs
import targets
from inputs import Target


@attrs.frozen
class Kind:
    """Files of a kind, known by how their names begin.

    Args:
        begins: That beginning.
        use: How they are read.
        named: Where in a folder they lie; under their own name where not said.
        beside: Good files that lie there too: name in `attacks/seeds` → place.
        good: A file in `attacks/seeds` with the value that they had before they were damaged.
        options: What they are opened with.
    """

    begins: str
    use: Callable[[Path], str]
    named: str = ""
    beside: dict[str, str] = attrs.field(factory=dict)
    good: str = ""
    options: str = "{}"


def _said(*words: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a command, which has to be fit for a terminal."""
    line = [sys.executable, "-m", "spikecore", *words]
    done = subprocess.run(line, env={**os.environ, **environment}, capture_output=True, text=True, errors="replace")
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said[-300:]
    odd = [sign for sign in said if unicodedata.category(sign) == "Cc" and sign not in "\n\t\r"]
    assert not odd, f"control characters reach the terminal: {odd[:5]}"
    return done.returncode, said


def _info(path: Path) -> str:
    code, said = _said("info", str(path))
    assert code in (0, 1, 2), f"exit {code}: {said[-300:]}"
    return said


def _plugin(path: Path) -> str:
    """`list` goes on without the plugin, or ends with its name."""
    code, said = _said("list", PYTHONPATH=os.pathsep.join([str(path.parent), os.environ.get("PYTHONPATH", "")]))
    name = path.stem.removeprefix("x_")
    assert (code == 0 and "builtin/scene" in said) or name in said, f"exit {code}, {name} is not named: {said[-300:]}"
    return said


_EVENTS = '{"source": "simulate/event-file"}'
_RECORDING, _DAT = targets.recording, {"seed.dat": "clip.dat"}
_SET = {"set/spike/a.dat": "spike/a.dat", "set/spike/a.dat.toml": "spike/a.dat.toml"}
KINDS = (
    Kind("events-different", _RECORDING, good="ev.h5", options=_EVENTS),
    Kind("events-", _RECORDING, options=_EVENTS),
    Kind("h5-key-different", _RECORDING, good="keyed.h5", options='{"key": "a"}'),
    Kind("h5-", _RECORDING, good="seed.h5"),
    Kind("npz-own-different", _RECORDING, good="seed.npz"),
    Kind("folder-gt-png", targets.picture_set, "gt/a.png", _SET),
    Kind("png-", targets.picture_set, "gt/a.png", _SET),
    Kind("run-json", targets.experiment),
    Kind("hostile-toml", targets.experiment),
    Kind("hostile-sidecar-0", targets.described, "config.yaml", _DAT),
    Kind("hostile-sidecar", targets.described, "clip.dat.toml", _DAT),
    Kind("hostile-", targets.weights),
    Kind("exponential", targets.weights),
    Kind("sqlite", targets.results),
    Kind("lab", _info),
    Kind("k.", _info),
)


def _folder() -> Path | None:
    shared = os.environ.get("SPIKECORE_SHARED")
    folder = Path(shared) / "attacks" if shared else None
    return folder if folder is not None and folder.is_dir() else None


def _kind(name: str) -> Kind | None:
    return next((kind for kind in KINDS if name.startswith(kind.begins)), None)


def _build(root: Path) -> None:
    attacks = _folder()
    assert attacks is not None
    for file in sorted(attacks.iterdir()):
        kind = _kind(file.name)
        if kind is None or not file.is_file():
            continue
        place = root / file.name
        for good, name in {**kind.beside, **({kind.good: f"good/{kind.good}"} if kind.good else {})}.items():
            _copy(attacks / "seeds" / good, place / name)
        _copy(file, place / (kind.named or file.name))
        for folder in {place, place / "good"}:
            if folder.is_dir():
                (folder / "options.json").write_text(kind.options)
        (place / "victim").symlink_to(kind.named or file.name)
    for file in sorted(attacks.glob("plugins/*/*.py")):
        shutil.copytree(file.parent, root / file.stem)
        (root / file.stem / "victim").symlink_to(file.name)


def _copy(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)


def _use(path: Path) -> str:
    """Read the file; where its value was known before, nothing else may be read."""
    place, path = path.parent, path.parent / os.readlink(path)
    if path.suffix == ".py":
        return _plugin(path)
    kind = _kind(place.name)
    assert kind is not None
    found = kind.use(path)
    if kind.good:
        good = kind.use(place / "good" / kind.good)
        assert found == good, f"another value: {found}, it was {good}"
    return found


TARGETS = {"known": Target(_build, "victim", _use, exact=True)} if _folder() else {}
