"""Which files are surely events, which may be, and which are another's."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from spikecore_plugin_simulate.event_file import write_events
from spikecore_plugin_simulate.recognise import recognise_events

import spikecore as sc
from spikecore.testing.data import event_stream


@pytest.fixture
def path(tmp_path):
    return write_events(event_stream(2.0, (20, 30)), tmp_path / "a.events.h5")


def said(path):
    return recognise_events(path, path.read_bytes()[:4096])


def test_what_we_wrote(path):
    assert said(path) == 1


def test_columns_without_a_sensor_may_be_another_s(path):
    with h5py.File(path, "a") as file:
        del file["events"].attrs["height"]
    assert 0.5 < said(path) < 1


@pytest.mark.parametrize("name", ["x", "y", "t", "p"])
def test_all_columns_must_be_there(path, name):
    with h5py.File(path, "a") as file:
        del file[f"events/{name}"]
    assert said(path) == 0


def test_links_are_not_followed(path):
    other = path.with_name("b.events.h5")
    with h5py.File(other, "w") as file:
        file["events"] = h5py.ExternalLink(path.name, "events")
    assert said(other) == 0


def test_of_damaged_files_only_those_of_our_name_are_ours(path):
    path.write_bytes(path.read_bytes()[:1000])
    assert 0 < said(path) < 0.5
    assert said(path.rename(path.with_name("a.h5"))) == 0


def test_names_of_events_are_opened_as_what_they_hold(path):
    assert sc.open_source(path)[0].events
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(sc.SpikeFormatError, match="events in HDF5"):
        sc.open_source(path)
    with h5py.File(path, "w") as file:
        file["spikes"] = np.zeros((3, 4, 5), np.uint8)
    host = sc.PluginHost.discover()
    assert {found.plugin for found in host.openers(path)} <= {"vidar", "simulate"}
    if any(found.id == "vidar/hdf5" for found in host.components("source")):
        assert [found.id for found in host.openers(path)] == ["vidar/hdf5"]


def test_events_of_any_hdf5_name_are_opened_by_name(path):
    path = path.rename(path.with_name("a.h5"))
    assert sc.open_source(path)[0].events
