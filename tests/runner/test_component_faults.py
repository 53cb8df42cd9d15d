"""Code of components that raises anything, or is none: an error that names the component leaves every verb."""

from __future__ import annotations

import sys

import attrs
import numpy as np
import pytest

import spikecore as sc
from spikecore.plugin.host import PluginHost


class Odd(BaseException):
    pass


ERRORS = [Odd, KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, RecursionError, ZeroDivisionError]


@attrs.frozen
class File:
    path: str = sc.option("", help="of nothing")


class Mean:
    """A method that works."""

    def __init__(self, config):
        self.window = sc.Window.centred(5)

    def reconstruct(self, batch):
        return batch.spikes.tensor().mean(1, keepdim=True)


class Noise:
    """A source that works."""

    def __init__(self, config):
        pass

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return sc.Sample(key="noise", spikes=sc.SpikeStream.from_frames(np.ones((20, 4, 6), bool)))


def raising(error):
    def fault(*_):
        raise error("no")

    return fault


METHODS = {
    "built": lambda fault: type("Bad", (Mean,), {"__init__": fault}),
    "window": lambda fault: type("Bad", (), {"__init__": lambda *_: None, "window": property(fault)}),
    "called": lambda fault: type("Bad", (Mean,), {"reconstruct": fault}),
}
SOURCES = {
    "built": lambda fault: type("Bad", (Noise,), {"__init__": fault}),
    "length": lambda fault: type("Bad", (Noise,), {"__len__": fault}),
    "sample": lambda fault: type("Bad", (Noise,), {"__getitem__": fault}),
}
NONSENSE = {
    "method": [
        lambda config: None,
        lambda config: 5,
        type("Bad", (Mean,), {"__init__": lambda self, _: setattr(self, "window", 5)}),
    ],
    "source": [
        lambda config: None,
        type("Bad", (Noise,), {"__len__": lambda _: -1}),
        type("Bad", (Noise,), {"__getitem__": lambda *_: None}),
    ],
}


@pytest.fixture
def ask(monkeypatch, tmp_path):
    """Use bad classes in the place of a source and a method that work."""

    class Plugin:
        @sc.hookimpl
        def spikecore_info(self):
            return sc.PluginInfo("some components")

        @sc.hookimpl
        def spikecore_components(self):
            common = {"config": File, "summary": "one"}
            files = {"patterns": "*.odd", "writer": f"{__name__}:write"}
            yield sc.Component("source", "source", f"{__name__}:Source", produces="spikes", **files, **common)
            yield sc.Component(
                "reconstructor", "method", f"{__name__}:Method", consumes="spikes", produces="image", **common
            )

    host = PluginHost()
    host.register(Plugin(), "mine")
    here = sys.modules[__name__]
    monkeypatch.setattr(here, "Source", Noise, raising=False)
    monkeypatch.setattr(here, "Method", Mean, raising=False)
    monkeypatch.setattr(here, "write", None, raising=False)
    (tmp_path / "a.odd").touch()
    table = {"source": {"use": "mine/source"}, "reconstructor": {"use": "mine/method"}}
    stream = Noise(None)[0].spikes

    def ask(what, target):
        monkeypatch.setattr(here, what if what == "write" else what.title(), target)
        named = {"write": "source"}.get(what, what)
        verbs = [lambda: sc.run(table, output=tmp_path / "v.npy", host=host)]
        if what == "source":
            verbs.append(lambda: sc.open(tmp_path / "a.odd", host=host))
        elif what == "write":
            verbs = [lambda: sc.save(stream, tmp_path / "v.odd", host=host)]
        else:
            verbs.append(lambda: sc.reconstruct(stream, "mine/method", host=host))
        for verb in verbs:
            with pytest.raises(sc.PluginError, match=f"mine/{named}"):
                verb()
        assert [path.name for path in tmp_path.iterdir()] == ["a.odd"]

    return ask


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("where", METHODS)
def test_a_method_that_raises_anything_is_named(ask, where, error):
    ask("method", METHODS[where](raising(error)))


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("where", SOURCES)
def test_a_source_that_raises_anything_is_named(ask, where, error):
    ask("source", SOURCES[where](raising(error)))


@pytest.mark.parametrize(("what", "number"), [(what, number) for what in NONSENSE for number in range(3)])
def test_what_is_no_component_is_named(ask, what, number):
    ask(what, NONSENSE[what][number])


@pytest.mark.parametrize("error", ERRORS)
def test_a_writer_that_raises_anything_is_named(ask, error):
    ask("write", raising(error))


def test_a_writer_that_gives_nonsense_is_named(ask):
    ask("write", lambda *_: 5)
