"""Arrays whose axes lie in another order: read as said, as MATLAB meant, and doubted where spikes say otherwise."""

from __future__ import annotations

import warnings
from itertools import permutations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikecore_plugin_vidar.plausibility import GeometryWarning

import spikecore as sc
from spikecore import SpikeFormatError, UsageError

ORDERS = ["".join(axes) for axes in permutations("thw")]
KINDS = ["npy", "fortran", "npz", "h5", "chunked", "matlab"]


def stored(frames, axes):
    return frames.transpose(["thw".index(axis) for axis in axes])


def write(folder, kind, frames, axes):
    """A file with the frames in this order of axes, as the program meant it, and the options that read it."""
    values = np.ascontiguousarray(stored(frames, axes))
    path = folder / {"npy": "a.npy", "fortran": "a.npy", "npz": "a.npz", "matlab": "a.mat"}.get(kind, "a.h5")
    if path.suffix == ".npy":
        np.save(path, np.asfortranarray(values) if kind == "fortran" else values)
        return path, {}
    if kind == "npz":
        np.savez_compressed(path, a=values)
        return path, {"key": "a"}
    userblock = 512 if kind == "matlab" else 0
    with h5py.File(path, "w", userblock_size=userblock) as file:
        held = values.transpose() if kind == "matlab" else values
        chunks = tuple(min(side, 3) for side in held.shape) if kind == "chunked" else None
        dataset = file.create_dataset("a", data=np.ascontiguousarray(held), chunks=chunks)
        if kind == "matlab":
            dataset.attrs["MATLAB_class"] = np.bytes_("uint8")
    if kind == "matlab":
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path, {"key": "a"}


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    axes=st.sampled_from(ORDERS),
    size=st.tuples(*[st.integers(1, 21)] * 3),
    dtype=st.sampled_from(["?", "u1", "i2", "u4"]),
)
def test_any_order_comes_back(tmp_path_factory, kind, axes, size, dtype):
    frames = (np.random.default_rng(sum(size)).random(size) < 0.4).astype(dtype)
    path, options = write(tmp_path_factory.mktemp("axes"), kind, frames, axes)
    read = sc.open(path, axes=axes, check=False, **options)
    assert np.array_equal(read.unpack(), frames)
    if axes == "thw":
        assert np.array_equal(sc.open(path, check=False, **options).unpack(), frames)


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize("fortran", [False, True])
def test_blocks_of_any_size(tmp_path, monkeypatch, axes, fortran):
    """Slices that do not begin with whole bytes of the result, and the frame that is named in errors."""
    monkeypatch.setattr("spikecore_plugin_vidar.values._BLOCK_BYTES", 70)
    frames = np.random.default_rng(0).random((11, 7, 5)) < 0.4
    path, _ = write(tmp_path, "fortran" if fortran else "npy", frames, axes)
    assert np.array_equal(sc.open(path, axes=axes).unpack(), frames)
    numbers = frames.astype(np.float32)
    numbers[8, 3, 2] = np.nan
    path, _ = write(tmp_path, "fortran" if fortran else "npy", numbers, axes)
    with pytest.raises(SpikeFormatError, match="NaN in frame 8"):
        sc.open(path, axes=axes, binarise=0.5)
    path, _ = write(tmp_path, "fortran" if fortran else "npy", frames * np.uint8(1) + 3 * (numbers != numbers), axes)
    with pytest.raises(SpikeFormatError, match="in frame 8"):
        sc.open(path, axes=axes)


def test_unknown_order_is_refused(tmp_path):
    path, _ = write(tmp_path, "npy", np.ones((3, 4, 5), bool), "thw")
    with pytest.raises(sc.SpikecoreError, match="axes"):
        sc.open(path, axes="hhw")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", ["hwt", "wht", "htw", "wth"])
def test_frames_in_another_place_are_doubted(tmp_path, scene, kind, axes):
    path, options = write(tmp_path, kind, scene(length=60, height=48, width=40).unpack(), axes)
    remedy = {"t": "axes=.hwt. or axes=.wht.", "h": "", "w": ""}[axes[2]] or "axes=.htw. or axes=.wth."
    with pytest.warns(GeometryWarning, match=remedy):
        sc.open(path, **options)
    sc.open(path, axes=axes, **options)
    sc.open(path, check=False, **options)


@pytest.mark.parametrize("axes", ORDERS)
def test_real_recordings(tmp_path, shared, axes):
    """The frames of a real capture are doubted in every wrong place, and in no right one."""
    stream = sc.open(shared / "data" / "uhsr" / "04144_helicopter.npz")
    path, _ = write(tmp_path, "npy", stream.unpack(), axes)
    sc.open(path, axes=axes)
    if axes[0] == "t":
        sc.open(path)
    else:
        with pytest.warns(GeometryWarning):
            sc.open(path)


def pictures(height, width):
    """Probabilities of a spike that tell nothing or look odd."""
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(3)
    return {
        "silent": 0 * x,
        "full": 0 * x + 1,
        "noise": 0 * x + 0.05,
        "pixels": rng.uniform(0.1, 0.5, (height, width)),
        "columns": np.tile(rng.uniform(0.1, 0.5, width), (height, 1)),
        "rows": np.tile(rng.uniform(0.1, 0.5, (height, 1)), (1, width)),
        "slope": y / height * 0.5,
        "side": x / width * 0.5,
        "fine rows": y % 2 * 0.6,
        "fine columns": x % 2 * 0.6,
        "checkers": (x + y) % 2 * 0.6,
        "tiles": (x // 4 + y // 4) % 2 * 0.6,
        "blobs": 0.3 + 0.25 * np.sin(x / 5) * np.cos(y / 7),
    }


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(list(pictures(1, 1))),
    light=st.sampled_from(["chance", "regular", "together"]),
    size=st.tuples(st.sampled_from([1, 3, 8, 20, 64, 130]), st.integers(1, 90), st.integers(1, 90)),
    seed=st.integers(0, 9),
)
def test_frames_in_their_place_are_never_doubted(tmp_path_factory, name, light, size, seed):
    """Spikes by chance, of a camera that integrates, and of one whose pixels all begin at once."""
    rate = pictures(*size[1:])[name]
    rng = np.random.default_rng(seed)
    if light == "chance":
        frames = rng.random(size) < rate
    else:
        phase = rng.random(rate.shape) if light == "regular" else 0.0
        frames = np.diff(np.floor(rate * np.arange(size[0] + 1)[:, None, None] + phase), axis=0) > 0
    path = tmp_path_factory.mktemp("axes") / "a.npy"
    np.save(path, frames)
    with warnings.catch_warnings():
        warnings.simplefilter("error", GeometryWarning)
        sc.open(path)


def test_old_matlab_files_are_named(tmp_path):
    path = tmp_path / "clip.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x01IM" + bytes(200))
    with pytest.raises(SpikeFormatError, match=r"(?s)MATLAB file of version 5.*-v7.3.*scipy.io.loadmat\('clip.mat'\)"):
        sc.open(path)


def test_matlab_files_are_not_written(tmp_path, scene):
    with pytest.raises(UsageError, match="MATLAB's files are only read"):
        sc.save(scene(), tmp_path / "clip.mat")


def test_folder_of_arrays(tmp_path, scene):
    """Options reach the reader of each file, and the first file is checked."""
    (tmp_path / "spike").mkdir()
    frames = scene(length=60, height=48, width=40).unpack()
    for name in ("a", "b"):
        np.save(tmp_path / "spike" / f"{name}.npy", stored(frames, "hwt"))
    options = {"source": "vidar/folder", "pattern": "*.npy", "targets": ""}
    samples = sc.open_source(tmp_path, reader={"axes": "hwt"}, **options)
    assert all(np.array_equal(samples[number].spikes.unpack(), frames) for number in (0, 1))
    with pytest.warns(GeometryWarning):
        assert sc.open_source(tmp_path, **options)[0].spikes.shape == (48, 40, 60)
    sc.open_source(tmp_path, check=False, **options)[0]
