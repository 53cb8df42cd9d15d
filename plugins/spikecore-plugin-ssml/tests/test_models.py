"""What the models promise beyond their contracts: windows, ends, gains, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from spikecore_plugin_ssml.config import Ends, MutualConfig, NbsnConfig, Variant
from spikecore_plugin_ssml.labels import tfi_label, tfp_label
from spikecore_plugin_ssml.model import Bsn, Mutual, Nbsn
from spikecore_plugin_ssml.window import mirrored

import spikecore as sc

from .conftest import batch_of, enlivened, random_spikes

A = NbsnConfig(Variant.A)


@torch.no_grad()
def test_mutual_gives_both_networks_and_both_labels():
    model = Mutual(MutualConfig(Variant.A))
    enlivened(model.network)
    spikes = random_spikes(2, 41, 9, 11)
    output = model.eval()(batch_of(*spikes))
    assert set(output) == {"image", "bsn", "nbsn", "tfi", "tfp"}
    assert torch.equal(output["image"], output["nbsn"])
    assert torch.allclose(output["nbsn"], model.network.nbsn(spikes), atol=1e-5)
    assert torch.allclose(output["bsn"], model.network.bsn(spikes), atol=1e-5)
    assert torch.equal(output["tfi"], tfi_label(spikes))
    assert torch.equal(output["tfp"], tfp_label(spikes))
    assert not torch.allclose(output["bsn"], output["nbsn"], atol=0.01)


def test_the_other_network_rests_while_only_the_blind_one_trains():
    model = Mutual(MutualConfig(Variant.A)).train()
    model.network.nbsn.requires_grad_(False)
    model.network.nbsn.register_forward_hook(lambda *_: pytest.fail("was run"))
    assert set(model(batch_of(*random_spikes(1, 41, 8, 8)))) == {"bsn", "tfi", "tfp"}


def test_labels_come_with_a_network_alone_in_training_only():
    model = Bsn(A)
    batch = batch_of(*random_spikes(1, 41, 8, 8))
    assert set(model.train()(batch)) == {"image", "bsn", "tfi", "tfp"}
    assert set(model.eval()(batch)) == {"image"}


@torch.no_grad()
def test_variant_a_is_homogeneous_so_its_gain_is_a_factor():
    one, two = Nbsn(A), Nbsn(NbsnConfig(Variant.A, output_gain=0.6))
    enlivened(one.network)
    two.network.load_state_dict(one.network.state_dict())
    batch = batch_of(*random_spikes(1, 41, 12, 10))
    assert torch.allclose(two.eval()(batch)["image"], 0.6 * one.eval()(batch)["image"])


@pytest.mark.parametrize("variant", [Variant.A, Variant.E])
@torch.no_grad()
def test_a_network_of_half_the_precision(variant):
    model = Nbsn(NbsnConfig(variant)).eval()
    enlivened(model.network)
    batch = batch_of(*random_spikes(1, 41, 12, 10))
    exact = model(batch)["image"]
    coarse = model.bfloat16()(batch)["image"]
    assert coarse.dtype == torch.float32
    assert float((coarse - exact).abs().max()) < 0.1 * float(exact.abs().max())


@pytest.mark.parametrize("size", [(4, 4), (5, 7), (6, 4), (7, 7)])
def test_the_smallest_pictures_work(size):
    for model in (Nbsn(A), Bsn(A)):
        assert model(batch_of(*random_spikes(1, 41, *size)))["image"].shape == (1, 1, *size)


def test_pictures_smaller_than_that_are_refused():
    for model in (Nbsn(A), Bsn(A), Mutual(MutualConfig(Variant.A))):
        with pytest.raises(sc.UsageError, match="3x20 are too small; this network needs 4x4"):
            model(batch_of(*random_spikes(1, 41, 3, 20)))


def test_other_windows_are_refused():
    with pytest.raises(sc.UsageError, match="takes 41 spike frames with the instant at 20, got 40 with the instant at"):
        Nbsn(A)(batch_of(*random_spikes(1, 40, 8, 8)))
    with pytest.raises(sc.UsageError, match="got 41 with the instant at 3"):
        Nbsn(A)(batch_of(*random_spikes(1, 41, 8, 8), at=3))
    with pytest.raises(sc.UsageError, match="got 60"):
        Nbsn(NbsnConfig(Variant.A, ends=Ends.MIRROR))(batch_of(*random_spikes(1, 60, 8, 8)))
    with pytest.raises(sc.UsageError, match="carry no spikes"):
        Nbsn(A)(sc.Batch(keys=("film",)))


def test_mirrored_frames_are_those_beyond_the_end_read_backwards():
    for at, length in ((20, 41), (0, 30), (29, 30), (3, 5), (0, 1), (1, 2)):
        padded = np.pad(np.arange(length), 200, mode="reflect" if length > 1 else "edge")
        assert mirrored(at, length) == padded[200 + at - 20 : 200 + at + 21].tolist()


@torch.no_grad()
def test_ends_of_a_recording_are_mirrored_where_asked():
    frames = random_spikes(50, 8, 9)
    stream = sc.SpikeStream.from_frames(frames.numpy().astype(bool))
    model = Nbsn(NbsnConfig(Variant.A, ends=Ends.MIRROR))
    enlivened(model.network)
    for at in (0, 7, 25, 49):
        sample = sc.Sample(key="end", spikes=stream, at=at).around(model.window)
        image = model.eval()(sc.collate([sample]).to("cpu"))["image"]
        assert torch.allclose(image, model.network(frames[mirrored(at, 50)][None]), atol=1e-5)
    with pytest.raises(sc.UsageError, match=r"instants 20\.\.29 have one"):
        sc.Sample(key="end", spikes=stream, at=7).around(Nbsn(A).window)


@pytest.mark.parametrize("variant", ["a", "b", "c", "d", "e"])
@pytest.mark.parametrize("branch", ["nbsn", "bsn"])
def test_every_variant_can_be_had_by_name(variant, branch):
    host = sc.PluginHost.discover()
    model = host.build(host.find(f"ssml/{branch}", "model"), {"variant": variant})
    image = model(batch_of(*random_spikes(1, 41, 8, 9)))["image"]
    assert image.shape == (1, 1, 8, 9)
    assert bool(image.isfinite().all())
