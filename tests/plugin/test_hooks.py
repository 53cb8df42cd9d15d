"""Every hook is called as its specification says: each has a test here called test_hook_<name>."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

import spikecore
from spikecore.data.kinds import Data
from spikecore.errors import PluginError, SpikecoreError, UsageError
from spikecore.jobs.job import find_executor
from spikecore.plugin.component import Component, Kind, PluginInfo, Weights
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.plugin.options import option
from spikecore.plugin.run_info import Score
from spikecore.plugin.sink import Target
from spikecore.sinks.arrays import Npy
from spikecore.sinks.open import open_sink
from spikecore.weights.find import locate

from .fakes import component, plugin


class Celsius(float):
    pass


@attrs.frozen
class Warm:
    heat: Celsius = option(help="degrees")


def test_hook_info():
    host = PluginHost()
    host.register(plugin(info=PluginInfo("what it is", license="MIT")), "mine")
    assert host.statuses["mine"].info.summary == "what it is"


def test_hook_components():
    host = PluginHost()
    host.register(plugin(component("a"), component("b")), "mine")
    assert [c.name for c in host.components()] == ["a", "b"]


def test_hook_converter():
    def register(converter):
        converter.register_structure_hook(Celsius, lambda value, _: Celsius(value))

    host = PluginHost()
    host.register(
        plugin(Component("loss", "warm", "m:C", Warm, "x"), spikecore_converter=lambda converter: register(converter)),
        "mine",
    )
    assert host.configure(host.find("warm"), {"heat": 3}).heat == Celsius(3)


def test_hook_add_commands(monkeypatch):
    from click.testing import CliRunner

    import spikecore.cli as cli

    def commands(group):
        @group.command()
        def sing():
            """Sing a song."""
            print("la la")

    host = PluginHost()
    host.register(plugin(spikecore_add_commands=lambda group: commands(group)), "choir")
    monkeypatch.setattr(cli.PluginHost, "discover", lambda **_: host)
    assert "la la" in CliRunner().invoke(cli.cli, ["sing"]).output
    assert "Sing a song" in CliRunner().invoke(cli.cli, ["--help"]).output


def test_hook_add_commands_cannot_replace_one(monkeypatch):
    from click.testing import CliRunner

    import spikecore.cli as cli

    host = PluginHost()
    host.register(plugin(spikecore_add_commands=lambda group: group.command("list")(lambda: None) and None), "thief")
    monkeypatch.setattr(cli.PluginHost, "discover", lambda **_: host)
    result = CliRunner().invoke(cli.cli, ["--help"])
    assert result.exit_code == 0
    assert "'thief' adds a command 'list', which is spikecore's own; it is left out" in " ".join(result.output.split())


def test_hook_add_commands_that_fails_leaves_the_others(monkeypatch):
    from click.testing import CliRunner

    import spikecore.cli as cli

    def broken(group):
        raise ImportError("no such module")

    host = PluginHost()
    host.register(plugin(spikecore_add_commands=lambda group: broken(group)), "broken")
    monkeypatch.setattr(cli.PluginHost, "discover", lambda **_: host)
    result = CliRunner().invoke(cli.cli, ["--help"])
    assert result.exit_code == 0
    assert "the commands of plugin 'broken' cannot be had: ImportError: no such module" in result.output


def test_hook_resolve_weights(tmp_path):
    from hashlib import sha256

    path = tmp_path / "w.safetensors"
    path.write_bytes(b"content")
    weights = Weights("w", sha256(b"content").hexdigest(), 7, url="nowhere/w.safetensors")
    host = PluginHost()
    host.register(
        plugin(
            component("net", Kind.MODEL, weights=(weights,)),
            spikecore_resolve_weights=lambda weights, cache: path if weights.name == "w" else None,
        ),
        "mine",
    )
    assert locate(host, host.find("net"), "w") == (path, weights.sha256)


def test_hook_executor():
    def here(work, items):
        return iter(items)

    host = PluginHost()
    host.register(plugin(spikecore_executor=lambda name: here if name == "here" else None), "mine")
    assert list(find_executor(host, "here", 1)(None, [2, 3])) == [2, 3]
    with pytest.raises(UsageError, match=r"no executor 'there'; .*\n  try: --executor local"):
        find_executor(host, "there", 1)
    with pytest.raises(UsageError, match="pip install spikecore-plugin-dask"):
        find_executor(host, "dask", 1)


def test_hook_sink(tmp_path):
    class Screen:
        written = 3
        write = commit = interrupt = lambda self, *values: values

    def offer(target, kind):
        return Screen() if target.path.suffix == ".screen" and kind is Data.DEPTH else None

    host = PluginHost()
    host.register(plugin(spikecore_sink=lambda target, kind: offer(target, kind)), "mine")
    sink = open_sink(host, Target(tmp_path / "a.screen", 1), Data.DEPTH)
    assert (sink.written, sink.write(1, 2)) == (3, (1, 2))
    with pytest.raises(UsageError, match=r"cannot write \.screen files"):
        open_sink(host, Target(tmp_path / "a.screen", 1), Data.IMAGE)
    own = open_sink(host, Target(tmp_path / "a.npy", 1), Data.DEPTH)
    assert isinstance(own, Npy)
    own.interrupt()


def test_hook_evaluate():
    score = Score("clip", "mine/mean", "mine/error", 0.5)
    host = PluginHost()
    host.register(plugin(component(), spikecore_evaluate=lambda experiment, output: [score]), "mine")
    assert spikecore.evaluate({"reconstructor": {"use": "mine/mean"}}, host=host) == [score]


def test_hook_results_format():
    class Foreign:
        read = write = lambda self, path: [path.name]

    host = PluginHost()
    host.register(plugin(spikecore_results_format=lambda path: Foreign() if path.suffix == ".xml" else None), "mine")
    assert host.hook.spikecore_results_format(path=Path("a.xml")).read(Path("a.xml")) == ["a.xml"]
    assert host.hook.spikecore_results_format(path=Path("a.odd")) is None


@pytest.mark.parametrize(
    ("hook", "answer", "ask"),
    [
        ("sink", 3, lambda host: open_sink(host, Target(Path("a.png"), 1))),
        ("executor", 3, lambda host: find_executor(host, "here", 1)),
        ("evaluate", [3], lambda host: spikecore.evaluate({"reconstructor": {"use": "mine/mean"}}, host=host)),
        ("evaluate", 3, lambda host: spikecore.evaluate({"reconstructor": {"use": "mine/mean"}}, host=host)),
        ("results_format", 3, lambda host: host.hook.spikecore_results_format(path=Path("a.xml"))),
        ("resolve_weights", 3, lambda host: locate(host, host.find("net"), "w")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize(
    "error", [None, ZeroDivisionError("no"), SystemExit("no"), KeyboardInterrupt("no"), StopIteration()]
)
def test_a_hook_that_fails_or_answers_nonsense_names_its_plugin(hook, answer, ask, error):
    def respond():
        if error is not None:
            raise error
        return answer

    host = PluginHost()
    weights = Weights("w", "0" * 64, 7, url="nowhere/w.safetensors")
    parts = component(), component("net", Kind.MODEL, weights=(weights,))
    host.register(plugin(*parts, **{f"spikecore_{hook}": lambda: respond()}), "mine")
    named = f"plugin 'mine': spikecore_{hook}" if error is not None or hook != "resolve_weights" else "mine/net"
    with pytest.raises(SpikecoreError, match=named):
        ask(host)


def test_what_a_hook_offers_names_its_plugin_when_it_fails_later():
    class Bad:
        def __getattr__(self, name):
            raise SystemExit(name)

        def write(self, *values):
            raise SystemExit("no")

        commit = interrupt = write

    def works(work, items):
        yield 1
        raise ZeroDivisionError

    host = PluginHost()
    offers = {"spikecore_sink": lambda: Bad(), "spikecore_executor": lambda: works}
    host.register(plugin(**offers), "mine")
    sink = open_sink(host, Target(Path("a.png"), 1))
    with pytest.raises(PluginError, match="'mine': spikecore_sink failed: SystemExit: no"):
        sink.write(1, None)
    with pytest.raises(PluginError, match="'mine': spikecore_sink failed: SystemExit: written"):
        print(sink.written)
    outcomes = find_executor(host, "here", 1)(None, [])
    assert next(outcomes) == 1
    with pytest.raises(PluginError, match="'mine': spikecore_executor failed: ZeroDivisionError"):
        next(outcomes)


def observed(name):
    calls = []
    host = PluginHost()
    host.register(plugin(**{name: lambda run: calls.append(run)}), "watcher")
    return host, calls


def test_hook_run_start():
    host, calls = observed("spikecore_run_start")
    host.hook.spikecore_run_start(run="run")
    assert calls == ["run"]


def test_hook_step_end():
    host, calls = observed("spikecore_step_end")
    host.hook.spikecore_step_end(run="run", step=1, values={})
    assert calls == ["run"]


def test_hook_scores():
    host, calls = observed("spikecore_scores")
    host.hook.spikecore_scores(run="run", scores=[])
    assert calls == ["run"]


def test_hook_epoch_end():
    host, calls = observed("spikecore_epoch_end")
    host.hook.spikecore_epoch_end(run="run", epoch=1, scores={})
    assert calls == ["run"]


def test_hook_checkpoint_saved():
    host, calls = observed("spikecore_checkpoint_saved")
    host.hook.spikecore_checkpoint_saved(run="run", path=None)
    assert calls == ["run"]


def test_hook_run_end():
    host, calls = observed("spikecore_run_end")
    host.hook.spikecore_run_end(run="run", result={"state": "done"})
    assert calls == ["run"]


def test_an_observer_needs_no_more_than_its_hooks():
    class Watcher:
        @hookimpl
        def spikecore_run_start(self, run):
            started.append(run)

    started = []
    host = PluginHost()
    host.watch(Watcher(), "watcher")
    host.hook.spikecore_run_start(run="run")
    assert started == ["run"]
    assert host.components() == []
    assert host.statuses == {}


def test_an_observer_of_nothing_known_is_refused():
    class Watcher:
        @hookimpl
        def spikecore_run_begin(self, run):
            pass

    with pytest.raises(PluginError, match=r"unknown hook spikecore_run_begin.*run_start"):
        PluginHost().watch(Watcher(), "watcher")


def test_every_hook_is_documented_and_tested():
    from spikecore.plugin import hookspecs

    hooks = [name for name in dir(hookspecs) if name.startswith("spikecore_")]
    assert len(hooks) == 15
    for name in hooks:
        text = getattr(hookspecs, name).__doc__
        assert "When:" in text, name
        assert "Result:" in text, name
        assert f"test_hook_{name.removeprefix('spikecore_')}" in globals(), name
