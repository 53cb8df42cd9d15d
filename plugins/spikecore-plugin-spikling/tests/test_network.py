"""The network is the original's; the model around it takes any size and says what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from spikecore_plugin_spikling.compat import Generator, generate
from spikecore_plugin_spikling.foreign import import_generator
from spikecore_plugin_spikling.network import SemiUnet
from spikecore_plugin_spikling.semi_unet import fast_bfloat16, grey_levels, on_any_size

import spikecore as sc
from spikecore import WeightsError


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return SemiUnet().eval()


@pytest.fixture(scope="module")
def spikes():
    return torch.from_numpy(np.random.default_rng(0).random((2, 32, 30, 44)) < 0.3).float()


def batch(spikes):
    streams = [sc.SpikeStream.from_frames(one.numpy().astype(bool)) for one in spikes]
    samples = [sc.Sample(key=f"s{n}", spikes=stream, at=16) for n, stream in enumerate(streams)]
    return sc.collate(samples).to("cpu")


def test_the_network_is_as_stated(network):
    state = network.state_dict()
    assert sum(value.numel() for value in state.values()) == 2_895_904
    assert list(state)[:3] + list(state)[-2:] == [
        "down1.0.weight",
        "down1.2.weight",
        "down2.0.weight",
        "up2.3.weight",
        "flat.weight",
    ]
    assert len(state) == 13
    assert state["bottom.9.weight"].shape == (256, 128, 4, 4)


def test_output_is_the_originals(golden):
    network = Generator().load(golden / "generator_seed0.pth").eval()
    with np.load(golden / "generator_io.npz") as held, torch.inference_mode():
        x = torch.from_numpy(held["x"]).float()
        assert np.abs(network.down1(x).numpy() - held["act_down1"]).max() <= 1e-4
        assert np.abs(network(x).numpy() - held["y"]).max() <= 1e-4


def test_levels_are_the_originals(golden, build):
    with np.load(golden / "generator_io.npz") as held:
        wanted = np.clip(held["y"] * 128.0 + 127, 0, 255).astype(np.uint8)
        frames = held["x"] > 0
    network = Generator().load(golden / "generator_seed0.pth")
    for one, other in zip(frames, wanted, strict=True):
        assert np.abs(generate(network, one, 0).astype(int) - other[0]).max() <= 1
    model = build("semi-unet", arithmetic="float32").eval()
    model.network.load_state_dict(network.state_dict())
    with torch.inference_mode():
        rate = model(batch(torch.from_numpy(frames)))["image"]
    assert np.abs((255 * rate.numpy()).clip(0, 255).astype(int) - wanted).max() <= 1


def test_sizes_are_padded_with_silence_as_in_the_original(network):
    """250 rows get one row on top and one below, then the same as any aligned size."""
    spikes = torch.from_numpy(np.random.default_rng(1).random((1, 32, 10, 16)) < 0.4).float()
    padded = torch.zeros(1, 32, 12, 16)
    padded[:, :, 1:11] = spikes
    with torch.inference_mode():
        assert torch.equal(on_any_size(network, spikes), network(2 * padded - 1)[:, :, 1:11])
        assert torch.equal(on_any_size(network, padded), network(2 * padded - 1))


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (3, 7), (5, 4), (8, 8), (9, 6)])
def test_any_size_goes(network, size):
    with torch.inference_mode():
        assert on_any_size(network, torch.ones(1, 32, *size)).shape == (1, 1, *size)


def test_arithmetic(build, spikes):
    torch.manual_seed(0)
    model = build("semi-unet")
    exact = build("semi-unet", arithmetic="float32").eval()
    exact.network.load_state_dict(model.network.state_dict())
    with torch.inference_mode():
        plain = grey_levels(on_any_size(exact.network, spikes)) / 255
        assert torch.equal(exact(batch(spikes))["image"], plain)
        assert torch.equal(model.train()(batch(spikes))["image"], plain)  # a trainer decides for itself
        fast = model.eval()(batch(spikes))["image"]
    assert fast.dtype == torch.float32
    assert torch.equal(fast, plain) != fast_bfloat16()
    assert (fast - plain).abs().max() < 0.05


def test_a_network_of_half_the_precision(network, spikes):
    half = SemiUnet().bfloat16()
    half.load_state_dict(network.state_dict())
    with torch.inference_mode():
        apart = grey_levels(on_any_size(half, spikes.bfloat16())) - grey_levels(on_any_size(network, spikes))
    assert apart.abs().max() < 15
    assert generate(half, spikes[0].numpy().astype(bool), 0).dtype == np.uint8


@pytest.mark.gpu
def test_on_a_gpu(network, spikes):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    there = SemiUnet().to("cuda")
    there.load_state_dict(network.state_dict())
    with torch.inference_mode():
        apart = on_any_size(there, spikes.cuda()).cpu() - on_any_size(network, spikes)
    assert apart.abs().max() < 0.05


def test_old_and_new_checkpoints_are_read(network):
    state = network.state_dict()
    for checkpoint in (state, {"netG_state": state, "netD_state": {"x": torch.zeros(1)}}):
        tensors = import_generator(checkpoint).tensors
        assert all(torch.equal(tensors[name], value) for name, value in state.items())


def test_other_checkpoints_are_refused_with_the_first_differences(network):
    state = {name.replace("down1", "encoder"): value for name, value in network.state_dict().items()}
    state["flat.weight"] = torch.zeros(3, 32, 1, 1)
    with pytest.raises(
        WeightsError, match=r"missing down1.0.weight; .*; unexpected encoder.0.weight; .*flat.weight is \(3,"
    ):
        import_generator(state)
    with pytest.raises(WeightsError, match='"netG_state" is a str'):
        import_generator({"netG_state": "no"})
    with pytest.raises(WeightsError, match=r"flat\.weight is int"):
        import_generator({**network.state_dict(), "flat.weight": 1})


def test_weights_files_are_read_by_the_runner(network, tmp_path):
    torch.save({"netG_state": network.state_dict()}, tmp_path / "spikling-01-0027.pth")
    frames = np.random.default_rng(0).random((32, 12, 16)) < 0.3
    host = sc.PluginHost.discover()
    experiment = sc.compose(model={"use": "spikling/semi-unet", "arithmetic": "float32"}, host=host)
    from spikecore import load_model

    model = load_model(host, experiment.method, str(tmp_path / "spikling-01-0027.pth")).model
    assert torch.equal(model.network.state_dict()["flat.weight"], network.state_dict()["flat.weight"])
    generator = Generator().load(tmp_path / "spikling-01-0027.pth")
    generator.save(tmp_path / "saved.pth")
    again = Generator().load(tmp_path / "saved.pth")
    assert np.array_equal(generate(generator, frames, 0), generate(again, frames, 0))


def test_missing_weights_are_an_error_never_random(tmp_path):
    with pytest.raises(WeightsError, match=r"spikling-0027\.pth"):
        Generator().load(tmp_path / "spikling-0027.pth")
    (tmp_path / "page.pth").write_text("<html>")
    with pytest.raises(WeightsError, match="web page"):
        Generator().load(tmp_path / "page.pth")


def test_samples_that_are_not_cut_are_refused(build):
    with pytest.raises(sc.UsageError, match="takes 32 spike frames with the instant at 16, got 31"):
        build("semi-unet")(batch(torch.zeros(1, 31, 8, 8)))
    with pytest.raises(sc.UsageError, match="takes 96 spike frames with the instant at 48, got 64"):
        build("semi-unet", bin=3)(batch(torch.zeros(1, 64, 8, 8)))
    with pytest.raises(sc.UsageError, match="carry no spikes"):
        build("semi-unet")(sc.Batch(keys=("a",)))
