"""Damaged files are read or refused with `SpikeFormatError`; nothing else ever comes out of a reader."""

from __future__ import annotations

import numpy as np
import pytest

import spikecore as sc
from spikecore import SpikeFormatError, SpikeStream

MUTANTS = 250


def mutate(rng, data):
    """Flip bits, write runs of a byte, cut, or repeat a piece: one to four times."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(len(data)))
        kind = rng.integers(4)
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            length = int(rng.integers(1, 9))
            data[at : at + length] = bytes([int(rng.choice([0, 1, 127, 255]))]) * len(data[at : at + length])
        elif kind == 2 and len(data) > 8:
            del data[max(at, 8) :]
        else:
            data[at:at] = data[at : at + 16]
    return bytes(data)


def seeds(tmp_path):
    frames = np.random.default_rng(0).random((20, 6, 8)) < 0.3
    stream = SpikeStream.from_frames(frames)
    for suffix in (".dat", ".npz", ".npy", ".h5"):
        yield sc.save(stream, tmp_path / f"seed{suffix}").read_bytes(), suffix, {}
    path = tmp_path / "uhsr.npz"
    np.savez_compressed(path, spk=frames, label=np.int64(3), label_name="x.jpg")
    yield path.read_bytes(), ".npz", {}
    path = tmp_path / "spikling.npz"
    np.savez(path, seq=np.zeros((2, 6, 8), np.uint8), tag=np.ones((6, 8), np.uint8), length=np.int64(13))
    yield path.read_bytes(), ".npz", {}


@pytest.mark.parametrize("number", range(6))
def test_readers_survive_damage(tmp_path, number):
    data, suffix, options = list(seeds(tmp_path))[number]
    rng = np.random.default_rng(number)
    path = tmp_path / f"mutant{suffix}"
    outcomes = {"read": 0, "refused": 0}
    if suffix == ".dat":
        options = {"height": 6, "width": 8}
    for _ in range(MUTANTS):
        path.write_bytes(mutate(rng, data))
        try:
            stream = sc.open(path, **options)
        except SpikeFormatError:
            outcomes["refused"] += 1
        else:
            assert stream.unpack().max() <= 1
            outcomes["read"] += 1
    assert outcomes["refused"] > MUTANTS // 5, outcomes


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_checksums_notice_altered_spikes(tmp_path, suffix):
    """Of files with checksums, whatever is read has the right spikes, or another geometry that is stated in it."""
    frames = np.random.default_rng(0).random((64, 16, 16)) < 0.3
    data = sc.save(SpikeStream.from_frames(frames), tmp_path / f"seed{suffix}").read_bytes()
    rng = np.random.default_rng(1)
    path = tmp_path / f"mutant{suffix}"
    for _ in range(MUTANTS):
        mutant = bytearray(data)
        mutant[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(mutant)
        try:
            stream = sc.open(path)
        except SpikeFormatError:
            continue
        assert np.array_equal(stream.unpack(), frames)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clip.toml", b'height = 6\nwidth = 8\nframes = 20\nrate = 20000.0\nflip = true\nbit_order = "little"\n'),
        ("config.yaml", b"filename: x\nspike_w: 8\nspike_h: 6\nlabeled_data_type: [3.1, 5]\n"),
        ("config.json", b'{"spike_w": 8, "spike_h": 6, "more": [1, 2]}'),
    ],
)
def test_damaged_descriptions(tmp_path, name, text):
    (tmp_path / "clip.dat").write_bytes(bytes(120))
    rng = np.random.default_rng(2)
    for _ in range(MUTANTS):
        (tmp_path / name).write_bytes(mutate(rng, text))
        try:
            sc.open(tmp_path / "clip.dat", check=False)
        except SpikeFormatError:
            continue
