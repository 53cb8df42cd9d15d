"""Recordings of spike cameras: `.dat`, `.npz`, `.npy`, HDF5 and folders of them. This declaration imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from spikecore import Component, Kind, PluginInfo, hookimpl
from spikecore_plugin_vidar.config import DatConfig, FolderConfig, Hdf5Config, NpyConfig, NpzConfig

_PACKAGE = "spikecore_plugin_vidar"


@hookimpl
def spikecore_info() -> PluginInfo:
    """See `spikecore.plugin.hookspecs`."""
    return PluginInfo("reads and writes recordings of spike cameras: .dat, .npz, .npy, HDF5 and folders", license="MIT")


@hookimpl
def spikecore_components() -> Iterable[Component]:
    """See `spikecore.plugin.hookspecs`."""
    yield Component(
        Kind.SOURCE,
        "dat",
        target=f"{_PACKAGE}.dat:Dat",
        config=DatConfig,
        summary="raw recordings, bit-packed without a header, opened as a memory map",
        produces=("spikes",),
        targets=("image",),
        patterns=("*.dat", "*.raw", "*.bin"),
        writer=f"{_PACKAGE}.dat:write_dat",
        recognise=f"{_PACKAGE}.recognise:recognise_dat",
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "npz",
        target=f"{_PACKAGE}.npz:Npz",
        config=NpzConfig,
        summary="NumPy archives: U-HSR, spikling's simulated pairs, our own packed ones, any array of 0 and 1",
        produces=("spikes",),
        targets=("image", "label", "text"),
        patterns=("*.npz",),
        writer=f"{_PACKAGE}.npz:write_npz",
        recognise=f"{_PACKAGE}.recognise:recognise_npz",
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "npy",
        target=f"{_PACKAGE}.npy:Npy",
        config=NpyConfig,
        summary="NumPy arrays (frames, height, width) of 0 and 1",
        produces=("spikes",),
        patterns=("*.npy",),
        writer=f"{_PACKAGE}.npy:write_npy",
        recognise=f"{_PACKAGE}.recognise:recognise_npy",
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "hdf5",
        target=f"{_PACKAGE}.hdf5:Hdf5",
        config=Hdf5Config,
        summary="HDF5: compressed and checksummed recordings half the size of a .dat, or any data set of 0 and 1",
        produces=("spikes",),
        patterns=("*.h5", "*.hdf5", "*.mat"),
        writer=f"{_PACKAGE}.hdf5_writer:write_hdf5",
        recognise=f"{_PACKAGE}.recognise:recognise_hdf5",
        license="MIT",
    )
    yield Component(
        Kind.SOURCE,
        "folder",
        target=f"{_PACKAGE}.folder:Folder",
        config=FolderConfig,
        summary="a folder of recordings, with ground-truth pictures beside them if there are any",
        produces=("spikes",),
        targets=("image", "label", "text"),
        patterns=("*/",),
        recognise=f"{_PACKAGE}.recognise:recognise_folder",
        license="MIT",
    )
