"""Plugins that are broken or mean harm, each put on the path as pip would and met by one command line.

`PLUGINS` maps names to sources; `attack` runs one and says what became of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import attrs

LIMIT = 60.0  # seconds after which a command counts as hung; far more than it needs
PATIENCE = 2.0  # seconds that a plugin is given here

HEAD = """
import attrs
from spikecore import Component, Kind, PluginInfo, Weights, hookimpl

@attrs.frozen
class Options:
    pass

def component(name="thing", **changed):
    given = dict(kind="reconstructor", target=f"{__name__}:Thing", config=Options, summary="a thing",
                 consumes="spikes", produces="image")
    return Component(**{**given, "name": name, **changed})

@hookimpl
def spikecore_info():
    return PluginInfo("a plugin")
"""

_IMPORTED = {
    "kind-of-its-own": "class Odd(BaseException): pass\nraise Odd('boo')",
    "ctrl-c": "raise KeyboardInterrupt",
    "generator-exit": "raise GeneratorExit",
    "stop-iteration": "raise StopIteration",
    "leaves": "import sys; sys.exit(3)",
    "leaves-well": "raise SystemExit(0)",
    "recursion": "def f(): return f()\nf()",
    "memory": "raise MemoryError",
    "no-text": "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd",
    "long-text": "raise ValueError('x' * 10**7)",
    "syntax": "def f(:",
    "not-text": "\x00",
    "first-release": "from spikecore.component import Weights",
    "leaves-at-once": "import os; os._exit(0)",
    "sleeps": "import time; time.sleep(10**6)",
    "reads": "import os\nr, w = os.pipe()\nos.read(r, 1)",
    "busy": "while True: pass",
    "stubborn": "import time\nwhile True:\n    try: time.sleep(1)\n    except BaseException: pass",
    "holds-interpreter": "sum(range(10**13))",
    "limit": "import sys; sys.setrecursionlimit(60); raise ValueError",
    "stdout-closed": "import sys; sys.stdout.close(); raise ValueError",
    "stderr-closed": "import sys; sys.stderr.close(); raise ValueError",
    "streams-closed": "import sys; sys.__stdout__.close(); sys.__stderr__.close(); raise ValueError",
    "files-closed": "import os; os.closerange(0, 3); raise ValueError",
    "no-streams": "import sys; sys.stdout = sys.stderr = None; raise ValueError",
    "signals": "from signal import *\nfor one in (2, 14, 15): signal(one, SIG_IGN)\nalarm(1)\nraise ValueError",
    "elsewhere": "import os; os.chdir('/'); raise ValueError",
}
"""Refused with their names; everything else is listed."""

_DECLARING = {
    "no-info": "@hookimpl\ndef spikecore_info(): return 3",
    "bad-api": "@hookimpl\ndef spikecore_info(): return PluginInfo('x', api='1.0')",
    "bad-summary": "@hookimpl\ndef spikecore_info(): return PluginInfo(b'x')",
    "info-leaves": "@hookimpl\ndef spikecore_info(): raise SystemExit(5)",
    "unknown-hook": "@hookimpl\ndef spikecore_run_begin(run): pass",
    "odd-argument": "@hookimpl\ndef spikecore_run_start(run, colour): pass",
    "converter": "@hookimpl\ndef spikecore_converter(converter):\n"
    "    converter.register_structure_hook(int, lambda value, _: 7)\n    raise KeyboardInterrupt",
}
_COMPONENTS = {
    "components-ctrl-c": "raise KeyboardInterrupt\n    yield",
    "components-leave": "raise SystemExit(5)\n    yield",
    "components-number": "return 5",
    "components-none": "return [None]",
    "components-endless": "i = 0\n    while True:\n        i += 1\n        yield component(f'n{i}')",
    "components-many": "return (component(f'n{i}') for i in range(10**9))",
    "components-hang": "yield component()\n    while True: pass",
    "twice": "return [component(), component()]",
    "slashes": "yield component('a/../b')",
    "dots": "yield component('..')",
    "escape": "yield component('\\x1b[31mred')",
    "no-name": "yield component('')",
    "long-name": "yield component('a' * 10**6)",
    "number-name": "yield component(5)",
    "own-python": "yield component(target='os:getcwd')",
    "no-target": "yield component(target='getcwd')",
    "odd-target": "yield component(target='..:x')",
    "odd-writer": "yield component(kind='source', writer='os.system:')",
    "odd-kind": "yield component(kind='thief')",
    "odd-data": "yield component(consumes=('spike',))",
    "data-number": "yield component(produces=3)",
    "plain-config": "yield component(config=dict)",
    "config-object": "yield component(config=Options())",
    "escape-summary": "yield component(summary='\\x1b[2Jcleared')",
    "empty-summary": "yield component(summary='')",
    "patterns-number": "yield component(kind='source', patterns=(3,))",
    "patterns-one": "yield component(kind='source', patterns=7)",
    "requires-bytes": "yield component(requires=(b'os',))",
    "weights-text": "yield component(kind='model', weights=('base',))",
    "weights-hash": "yield component(kind='model', weights=(Weights('w', 'ff', 3, file='w'),))",
    "weights-size": "yield component(kind='model', weights=(Weights('w', 'f' * 64, 1e9, file='w'),))",
    "odd-shape": "class Odd:\n        def __repr__(self): raise SystemExit\n    yield Odd()",
}
_ENDS = {
    "crash": "import ctypes; ctypes.string_at(0)",
    "abort": "import os; os.abort()",
    "killed": "import os; os.kill(os.getpid(), 9)",
}
"""They end the process before anything is listed: only their names can be told."""

_ADMITTED = {
    "prints": "import os, sys; print('chatter'); sys.__stdout__.write('chatter'); os.write(1, b'chatter')",
    "commands-leave": "@hookimpl\ndef spikecore_add_commands(group): raise SystemExit(7)",
    "commands-ctrl-c": "@hookimpl\ndef spikecore_add_commands(group): raise KeyboardInterrupt",
    "commands-hang": "@hookimpl\ndef spikecore_add_commands(group):\n    while True: pass",
    "commands-odd": "@hookimpl\ndef spikecore_add_commands(group): group.commands['odd'] = 3",
    "commands-ours": "@hookimpl\ndef spikecore_add_commands(group): group.command('list')(lambda: None)",
    "commands-none": "@hookimpl\ndef spikecore_add_commands(group): group.commands = None",
    "exit-code": "import spikecore; spikecore.SpikecoreError.exit_code = 'notint'",
}
"""Nothing is wrong with what they declare; what is named is seen by `spikecore --help`."""


def _plugins() -> dict[str, str]:
    hook = "@hookimpl\ndef spikecore_components():\n    {}\n"
    declaring = {**_DECLARING, **{name: hook.format(body) for name, body in _COMPONENTS.items()}}
    plain = _IMPORTED | _ENDS
    return plain | {name: HEAD + body for name, body in (declaring | _ADMITTED).items()}


PLUGINS = _plugins()
ADMITTED, ENDS = frozenset(_ADMITTED), frozenset(_ENDS) | {"stubborn", "holds-interpreter"}


@attrs.frozen
class Met:
    """What a command did that met a plugin.

    Args:
        code: Its exit code; None if it hung.
        seconds: How long it took.
        named: Whether what it said on stderr names the plugin.
        traceback: Whether a raw exception was shown.
        output: Its stdout.
        said: Its stderr.
    """

    code: int | None
    seconds: float
    named: bool
    traceback: bool
    output: str
    said: str


def put(site: Path, name: str, source: str) -> None:
    """A distribution with one module and one entry point, on a folder of the path."""
    module = f"hostile_{name.replace('-', '_')}"
    info = site / f"spikecore_{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: spikecore-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[spikecore.plugins]\n{name} = {module}\n")
    (site / f"{module}.py").write_text(dedent(source))


def met(site: Path, name: str, *words: str) -> Met:
    """Run `spikecore WORDS` with what lies on `site`."""
    line = [sys.executable, "-m", "spikecore", *words]
    given = {"PYTHONPATH": str(site), "SPIKECORE_PLUGIN_SECONDS": str(PATIENCE), "SPIKECORE_PLUGINS": f"builtin,{name}"}
    given = {**os.environ, **given}
    start = time.monotonic()
    try:
        done = subprocess.run(line, capture_output=True, text=True, env=given, timeout=LIMIT, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return Met(None, LIMIT, False, False, "", "")
    raw = "Traceback (most recent call last)" in done.stderr
    return Met(done.returncode, time.monotonic() - start, name in done.stderr, raw, done.stdout, done.stderr)


def attack(name: str, folder: Path) -> Met:
    """Install the plugin of that name in an empty folder and list the components (`--help` for what it admits)."""
    put(folder, name, PLUGINS[name])
    return met(folder, name, *(["--help"] if name.startswith("commands") else ["list"]))


def fault(name: str, found: Met) -> str:
    """What is wrong with how a plugin was met; "" if nothing is."""
    if found.code is None:
        return "hangs"
    if found.traceback:
        return "a raw exception"
    if not found.named and name not in ("prints", "exit-code"):
        return "not named"
    if name in ENDS:
        return "" if found.code else "ended as if all were well"
    if found.code or "chatter" in found.output:
        return f"exit code {found.code}" if found.code else "noise among the results"
    return "" if "builtin/scene" in found.output or "new-plugin" in found.output else "nothing was listed"
