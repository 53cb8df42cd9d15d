"""Components are found by name and built."""

from __future__ import annotations

import pytest

from spikecore.errors import AmbiguousComponent, PluginError, UnknownComponent, UsageError
from spikecore.plugin.bound import Bound
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.host import PluginHost

from .fakes import Options, component, plugin


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
