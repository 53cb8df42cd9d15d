"""What every component promises, whatever its kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from spikecore.api import default_host
from spikecore.errors import ConfigError
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.host import PluginHost
from spikecore.plugin.options import describe
from spikecore.testing.listing import HEAVY, listing

_KIT = "spikecore.testing."


class ComponentContract:
    """Tests for one installed component; authors subclass the contract of its kind, not this class.

    ```
    class TestMean(ReconstructorContract):
        component = "mean/mean"
        options = {"window": 41}
    ```

    What a component cannot do is said by the flags below, or by overriding a test with
    `@pytest.mark.xfail(reason="…")`; overriding it in silence is an error.

    Attributes:
        component: Id of the component, "plugin/name".
        options: Its options in these tests; override the fixture `settings` where they need files.
        published: True if the method was published: then its citation must be stated.
    """

    kind: ClassVar[Kind]
    component: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    published: ClassVar[bool] = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for name, value in vars(cls).items():
            if name.startswith("test_") and _is_promised(cls, name) and not _is_excused(value):
                raise TypeError(
                    f"{cls.__name__}.{name} overrides a contract test; mark it @pytest.mark.xfail(reason='…') and say "
                    "there what the component does not promise, or state it with one of the contract's flags"
                )

    @pytest.fixture
    def host(self) -> PluginHost:
        """Where the component is looked up: every installed plugin."""
        return default_host()

    @pytest.fixture
    def entry(self, host: PluginHost) -> Component:
        """The component."""
        return host.find(self.component, self.kind)

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        """Its options; override this fixture where they need files, for example `{"path": str(tmp_path / "a.dat")}`."""
        return dict(self.options)

    @pytest.fixture
    def built(self, host: PluginHost, entry: Component, settings: Mapping[str, Any]) -> Any:
        """The component, constructed with `settings`."""
        absent = entry.missing()
        if absent:
            pytest.skip(f"{entry.id} needs modules that are not installed: {', '.join(absent)}")
        return host.build(entry, settings)

    def test_lists_without_heavy_imports(self, entry: Component) -> None:
        """Finding and describing the component in a fresh process imports neither its code nor a heavy module.

        If this fails: move the import named below from the plugin's `__init__.py` or `config.py` into the target
        module, and keep the target in a module of its own.
        """
        report = listing(entry.plugin)
        assert not report["reason"], f"a fresh process does not admit plugin {entry.plugin!r}: {report['reason']}"
        target = entry.target.partition(":")[0]
        imported = [name for name in (target, *HEAVY) if name in report["modules"]]
        assert not imported, f"listing {entry.id} imports {', '.join(imported)}"

    def test_says_what_it_is(self, entry: Component) -> None:
        """Summary of one line, and a licence.

        If this fails: state `summary` (up to 120 characters, one line) and `license` (an SPDX id) of the `Component`.
        """
        assert entry.summary.strip(), f"{entry.id} has no summary"
        assert "\n" not in entry.summary, f"the summary of {entry.id} has several lines"
        assert len(entry.summary) <= 120, f"the summary of {entry.id} has {len(entry.summary)} characters"
        assert entry.license not in ("", "unknown"), f"{entry.id} states no licence"

    def test_cites_its_paper(self, host: PluginHost, entry: Component) -> None:
        """The citation is BibTeX, and there is one if the method was published.

        If this fails: state `citation="@article{…}"` of the `Component`, or of the plugin's `PluginInfo`.
        """
        info = host.statuses[entry.plugin].info
        citation = (entry.citation or (info.citation if info else "")).strip()
        assert citation or not self.published, f"{entry.id} is published but cites nothing"
        assert not citation or citation.startswith("@"), f"the citation of {entry.id} is not BibTeX: {citation[:40]!r}"

    def test_target_resolves(self, entry: Component) -> None:
        """The target, and the writer and importer if they are declared, can be imported and called.

        If this fails: `target`, `writer` and `importer` read "package.module:Name"; see the error for what Python says.
        """
        if entry.missing():
            pytest.skip(f"{entry.id} needs modules that are not installed: {', '.join(entry.missing())}")
        assert callable(entry.load()), f"{entry.target} is not a class"
        assert not entry.writer or callable(entry.load_writer()), f"{entry.writer} is not a function"
        assert not entry.importer or callable(entry.load_importer()), f"{entry.importer} is not a function"

    def test_options_survive_a_record(self, host: PluginHost, entry: Component, settings: Mapping[str, Any]) -> None:
        """Options written to a run's record and read back are the same options: structure(unstructure(c)) == c.

        If this fails: a converter or `__attrs_post_init__` changes values, an option with another default was set to
        None, or a type of your own needs a hook in `spikecore_converter`.
        """
        config = host.configure(entry, settings)
        written = {key: value for key, value in host.converter.unstructure(config).items() if value is not None}
        read = host.configure(entry, json.loads(json.dumps(written)))
        assert read == config, f"{config} came back as {read}"

    def test_options_have_help(self, entry: Component) -> None:
        """Every option says what it means.

        If this fails: declare options with `spikecore.option(default, help="…")`.
        """
        silent = [option.name for option in describe(entry.config) if not option.help.strip()]
        assert not silent, f"options of {entry.id} without help: {', '.join(silent)}"

    def test_unknown_option_is_refused(self, host: PluginHost, entry: Component, settings: Mapping[str, Any]) -> None:
        """A misspelt option is an error, not a default in disguise.

        If this fails: a hook in `spikecore_converter` takes more keys than the config class has.
        """
        with pytest.raises(ConfigError, match="no_such_option"):
            host.configure(entry, {**settings, "no_such_option": 1})


def _is_promised(cls: type, name: str) -> bool:
    return not cls.__module__.startswith(_KIT) and any(
        base.__module__.startswith(_KIT) and name in vars(base) for base in cls.__mro__[1:]
    )


def _is_excused(value: Any) -> bool:
    marks = getattr(value, "pytestmark", [])
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)
