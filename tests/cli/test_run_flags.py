"""The runner's options are flags of the commands, with the help and types that the options themselves state."""

from __future__ import annotations

import attrs
import click
import pytest

import spikecore as sc
from spikecore.cli.reconstruct import reconstruct


def flags(command):
    return {one.name: one for one in command.params if isinstance(one, click.Option)}


@pytest.fixture(scope="module")
def commands():
    group = click.Group()
    for _, plugin in sc.PluginHost.discover().plugins():
        if hasattr(plugin, "spikecore_add_commands"):
            plugin.spikecore_add_commands(group=group)
    return group.commands


@pytest.mark.parametrize("field", attrs.fields(sc.RunConfig), ids=lambda field: field.name)
def test_every_option_of_the_runner_is_a_flag_with_its_own_help(field):
    found = flags(reconstruct)[field.name]
    if field.name != "output":
        assert found.help.startswith(field.metadata["help"])
        assert found.opts == [f"--{field.name.replace('_', '-')}"]


@pytest.mark.parametrize("name", ["evaluate", "compare"])
def test_commands_on_one_instant_have_those_that_mean_something_for_it(commands, name):
    found = flags(commands[name])
    assert {"at", "gain", "display", "precision", "weights", "tile", "tile_frames", "result"} <= found.keys()
    assert not {"start", "stop", "stride", "fps", "bits"} & found.keys()


@pytest.mark.parametrize(("text", "value"), [("150", 150), ("150.85", 150.85)])
def test_an_instant_may_be_between_two_frames(text, value):
    kind = flags(reconstruct)["at"].type
    converted = kind.convert(text, None, None)
    assert (converted, type(converted)) == (value, type(value))
    with pytest.raises(click.BadParameter):
        kind.convert("soon", None, None)


def test_choices_are_those_of_the_option():
    assert list(flags(reconstruct)["display"].type.choices) == list(sc.Display)
    assert list(flags(reconstruct)["precision"].type.choices) == list(sc.Precision)
