from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import attrs
import pytest

from spikecore.component import API_VERSION, Component, Kind, PluginInfo, Weights
from spikecore.config import option
from spikecore.errors import AmbiguousComponent, PluginError, UnknownComponent, UsageError
from spikecore.experiment import Bound
from spikecore.hookspecs import hookimpl
from spikecore.host import GROUP, PluginHost


@attrs.frozen
class Options:
    window: int = option(41, help="frames")


class Celsius(float):
    pass


@attrs.frozen
class Warm:
    heat: Celsius = option(help="degrees")


def component(name="mean", kind=Kind.RECONSTRUCTOR, **extra):
    return Component(kind, name, "nowhere.module:Thing", Options, "a thing", **extra)


def plugin(*components, info=None, **hooks):
    @hookimpl
    def spikecore_info():
        return info or PluginInfo("test plugin", license="MIT")

    @hookimpl
    def spikecore_components():
        yield from components

    return SimpleNamespace(
        spikecore_info=spikecore_info,
        spikecore_components=spikecore_components,
        **{name: hookimpl(function) for name, function in hooks.items()},
    )


def write_plugin(folder, name, body):
    (folder / f"{name}.py").write_text(body)
    return EntryPoint(name, name, GROUP)


GOOD = """
from spikecore import PluginInfo, hookimpl

@hookimpl
def spikecore_info():
    return PluginInfo("good")
"""


def owned(point, distribution):
    """An entry point as importlib.metadata gives it: with its distribution."""
    point = EntryPoint(point.name, point.value, point.group)
    vars(point)["dist"] = SimpleNamespace(name=distribution, version="1.0")
    return point


def test_a_registered_plugin_offers_its_components_under_its_name():
    host = PluginHost()
    host.register(plugin(component(), component("mean", Kind.LOSS)), "mine")
    assert [(str(c.kind), c.id) for c in host.components()] == [("reconstructor", "mine/mean"), ("loss", "mine/mean")]
    assert host.find("mean", Kind.LOSS).kind is Kind.LOSS
    assert host.components("loss") == [host.find("mine/mean", "loss")]


def test_discovery_never_raises_and_says_why(tmp_path, clean_path):
    clean_path(tmp_path)
    points = [
        write_plugin(tmp_path, "good", GOOD),
        write_plugin(tmp_path, "missing", "import a_module_that_is_not_there"),
        write_plugin(tmp_path, "syntax", "def broken(:"),
        write_plugin(tmp_path, "raises", "raise SystemError('at import')"),
        write_plugin(tmp_path, "empty", ""),
    ]
    host = PluginHost()
    host.admit(points)
    states = {name: status.state for name, status in host.statuses.items()}
    assert states == {"good": "ok", "missing": "failed", "syntax": "failed", "raises": "failed", "empty": "failed"}
    assert "a_module_that_is_not_there" in host.statuses["missing"].reason
    assert "spikecore_info" in host.statuses["empty"].reason
    assert isinstance(host.statuses["raises"].error, SystemError)


def test_the_reason_of_a_broken_plugin_reaches_whoever_asks_for_its_component(tmp_path, clean_path):
    clean_path(tmp_path)
    host = PluginHost()
    host.admit([write_plugin(tmp_path, "missing", "import a_module_that_is_not_there")])
    with pytest.raises(UnknownComponent, match=r"(?s)failed.*a_module_that_is_not_there.*spikecore doctor"):
        host.find("missing/net")


def test_two_distributions_that_claim_one_name_are_both_refused(tmp_path, clean_path):
    clean_path(tmp_path)
    point = write_plugin(tmp_path, "same", GOOD)
    other = EntryPoint("same", "elsewhere", GROUP)
    host = PluginHost()
    host.admit([owned(point, "dist-a"), owned(other, "dist-b"), write_plugin(tmp_path, "good", GOOD)])
    assert host.statuses["same"].state == "failed"
    assert "dist-a and dist-b" in host.statuses["same"].reason
    assert host.statuses["good"].state == "ok"
    assert [name for name, _ in host.plugins()] == ["good"]


def test_one_distribution_seen_twice_is_no_conflict(tmp_path, clean_path):
    clean_path(tmp_path)
    point = write_plugin(tmp_path, "good", GOOD)
    host = PluginHost()
    host.admit([owned(point, "dist-a"), owned(point, "dist-a")])
    assert host.statuses["good"].state == "ok"


@pytest.mark.parametrize(
    ("variable", "value", "states"),
    [
        ("SPIKECORE_PLUGINS", " good , ", {"good": "ok", "other": "disabled"}),
        ("SPIKECORE_PLUGINS", "", {"good": "disabled", "other": "disabled"}),
        ("SPIKECORE_DISABLE", "good", {"good": "disabled", "other": "ok"}),
        ("SPIKECORE_DISABLE", "", {"good": "ok", "other": "ok"}),
    ],
)
def test_allow_and_block_lists(tmp_path, clean_path, monkeypatch, variable, value, states):
    clean_path(tmp_path)
    points = [write_plugin(tmp_path, name, GOOD) for name in ("good", "other")]
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("spikecore.host.entry_points", lambda group: points)
    host = PluginHost.discover()
    assert {name: status.state for name, status in host.statuses.items()} == states
    assert all(variable in status.reason for status in host.statuses.values() if status.state == "disabled")


def test_lists_given_as_arguments_win_over_the_environment(monkeypatch, tmp_path, clean_path):
    clean_path(tmp_path)
    monkeypatch.setenv("SPIKECORE_PLUGINS", "")
    monkeypatch.setattr("spikecore.host.entry_points", lambda group: [write_plugin(tmp_path, "good", GOOD)])
    assert PluginHost.discover(allow=["good"]).statuses["good"].state == "ok"


def test_lists_are_kept_for_other_processes(monkeypatch, tmp_path, clean_path):
    clean_path(tmp_path)
    points = [write_plugin(tmp_path, name, GOOD) for name in ("good", "other")]
    monkeypatch.setattr("spikecore.host.entry_points", lambda group: points)
    monkeypatch.delenv("SPIKECORE_PLUGINS", raising=False)
    monkeypatch.delenv("SPIKECORE_DISABLE", raising=False)
    host = PluginHost.discover()
    assert (host.allow, host.block) == (None, ())
    monkeypatch.setenv("SPIKECORE_DISABLE", "other")
    host = PluginHost.discover(allow=["good", "other"])
    assert (host.allow, host.block) == (("good", "other"), ("other",))
    again = PluginHost.discover(allow=host.allow, block=host.block)
    assert again.statuses == host.statuses


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "SPIKECORE_PLUGINS",
            "good,othr",
            r"SPIKECORE_PLUGINS \(--plugins\) names a plugin 'othr' .*did you mean other",
        ),
        ("SPIKECORE_DISABLE", "godo", r"SPIKECORE_DISABLE \(--disable\) names a plugin 'godo' .*did you mean good"),
    ],
)
def test_a_list_that_names_no_plugin_is_a_warning(tmp_path, clean_path, monkeypatch, variable, value, message):
    clean_path(tmp_path)
    points = [write_plugin(tmp_path, name, GOOD) for name in ("good", "other")]
    monkeypatch.setattr("spikecore.host.entry_points", lambda group: points)
    monkeypatch.setenv(variable, value)
    with pytest.warns(UserWarning, match=message):
        PluginHost.discover()


@pytest.mark.parametrize("api", [(API_VERSION[0] + 1, 0), (API_VERSION[0], API_VERSION[1] + 1), (0, 9)])
def test_another_api_version_is_refused(api):
    with pytest.raises(PluginError, match="is written for API"):
        PluginHost().register(plugin(info=PluginInfo("old", api=api)), "old")


def bad_components():
    @hookimpl
    def spikecore_components():
        yield component("fine")
        raise RuntimeError("half way")

    return spikecore_components


def raising_converter(converter):
    raise RuntimeError("no")


def extra_argument(run, colour):
    pass


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (plugin(component(), component()), "declares the reconstructor 'bad/mean' twice"),
        (plugin("not a component"), "expected a Component"),
        (plugin(component(), spikecore_run_begin=lambda run: None), "unknown hook spikecore_run_begin.*run_start"),
        (plugin(component(), spikecore_run_start=extra_argument), "colour"),
        (plugin(component(), spikecore_converter=raising_converter), "no"),
        (SimpleNamespace(**{**vars(plugin()), "spikecore_components": bad_components()}), "half way"),
    ],
    ids=["twice", "no-component", "typo", "argument", "converter", "half-way"],
)
def test_admission_is_all_or_nothing(broken, message):
    host = PluginHost()
    with pytest.raises((PluginError, RuntimeError), match=message):
        host.register(broken, "bad")
    assert host.components() == []
    assert list(host.plugins()) == []
    host.hook.spikecore_run_start(run=None)
    host.register(plugin(component()), "bad")
    assert [c.id for c in host.components()] == ["bad/mean"]


def test_a_name_is_registered_once():
    host = PluginHost()
    host.register(plugin(), "mine")
    with pytest.raises(PluginError, match="registered already"):
        host.register(plugin(), "mine")


def test_bare_names_work_while_they_are_unique():
    host = PluginHost()
    host.register(plugin(component("net")), "one")
    assert host.find("net").id == "one/net"
    host.register(plugin(component("net")), "two")
    with pytest.raises(AmbiguousComponent, match=r"one/net \(reconstructor\), two/net"):
        host.find("net")
    assert host.find("two/net").plugin == "two"


def test_an_unknown_component_names_the_closest():
    host = PluginHost()
    host.register(plugin(component("tfp"), component("tfi"), component("psnr", Kind.METRIC)), "classic")
    with pytest.raises(UnknownComponent, match="did you mean classic/tfp"):
        host.find("classic/tfpp")
    with pytest.raises(UnknownComponent, match="did you mean tfi"):
        host.find("tffi")
    with pytest.raises(UnknownComponent, match="no reconstructor 'psnr'"):
        host.find("psnr", Kind.RECONSTRUCTOR)


def test_a_component_whose_code_cannot_be_imported_fails_with_its_id_on_use():
    host = PluginHost()
    host.register(plugin(component("a"), component("b", requires=("a_module_that_is_not_there",))), "mine")
    with pytest.raises(PluginError, match=r"mine/a: nowhere\.module:Thing cannot be imported"):
        host.build(host.find("a"))
    with pytest.raises(PluginError, match="pip install a_module_that_is_not_there"):
        host.build(host.find("b"))
    assert host.find("b").missing() == ["a_module_that_is_not_there"]


def test_a_component_whose_init_raises_fails_with_its_id(tmp_path, clean_path):
    (tmp_path / "spikecore_things.py").write_text(
        "from spikecore.errors import UsageError\n"
        "class Broken:\n    def __init__(self, config): raise KeyError('half')\n"
        "class Refusing:\n    def __init__(self, config): raise UsageError('window is too short')\n"
    )
    clean_path(tmp_path)
    parts = [Component("reconstructor", n.lower(), f"spikecore_things:{n}", Options, n) for n in ("Broken", "Refusing")]
    host = PluginHost()
    host.register(plugin(*parts), "mine")
    broken = host.find("broken")
    for build in (lambda: host.build(broken), Bound(broken, Options()).build):
        with pytest.raises(PluginError, match="mine/broken cannot be built: KeyError: 'half'") as caught:
            build()
        assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(UsageError, match=r"^window is too short$"):
        host.build(host.find("refusing"))


def test_openers_prefer_the_most_specific_pattern():
    host = PluginHost()
    host.register(
        plugin(
            component("plain", Kind.SOURCE, patterns=("*.h5", "*.hdf5")),
            component("mvsec", Kind.SOURCE, patterns=("*_data.hdf5",)),
            component("other", Kind.SOURCE, patterns=("*.h5",)),
        ),
        "io",
    )
    from pathlib import Path

    assert [c.id for c in host.openers(Path("x/indoor_DATA.hdf5"))] == ["io/mvsec"]
    assert [c.id for c in host.openers(Path("a.h5"))] == ["io/other", "io/plain"]
    assert host.openers(Path("a.txt")) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: component("Upper Case"), "lower-case"),
        (lambda: component(consumes=("spike",)), "data kinds are"),
        (lambda: Component("reconstructor", "a", "m:C", int, "x"), "attrs class"),
        (lambda: Weights("w", sha256="0" * 64, size=1), "neither a file"),
    ],
)
def test_malformed_declarations_are_refused(make, message):
    with pytest.raises(PluginError, match=message):
        make()


def test_options_without_help_are_refused():
    @attrs.frozen
    class Bare:
        window: int = 3

    with pytest.raises(PluginError, match="without help text: window"):
        Component("loss", "a", "m:C", Bare, "x")


# Every hook of spikecore.hookspecs has a test here called test_hook_<name>; another test keeps that so.


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
    assert isinstance(result.exception, PluginError)
    assert "'thief' adds a command 'list'" in str(result.exception)


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
    assert "the commands of plugin 'broken' cannot be had: no such module" in result.output


def test_hook_resolve_weights(tmp_path):
    from hashlib import sha256

    from spikecore.weights import locate

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
    from spikecore.jobs import find_executor

    def here(work, job, items):
        return iter([])

    host = PluginHost()
    host.register(plugin(spikecore_executor=lambda name: here if name == "here" else None), "mine")
    assert find_executor(host, "here", 1) is here
    with pytest.raises(UsageError, match="pip install spikecore-plugin-there"):
        find_executor(host, "there", 1)


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


def test_every_hook_is_documented_and_tested():
    from spikecore import hookspecs

    hooks = [name for name in dir(hookspecs) if name.startswith("spikecore_")]
    assert len(hooks) == 11
    for name in hooks:
        text = getattr(hookspecs, name).__doc__
        assert "When:" in text, name
        assert "Result:" in text, name
        assert f"test_hook_{name.removeprefix('spikecore_')}" in globals(), name
