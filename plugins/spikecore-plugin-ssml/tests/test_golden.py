"""What the original programs gave, given the same weights and spikes."""

from __future__ import annotations

import json

import pytest
import torch
from spikecore_plugin_ssml import original
from spikecore_plugin_ssml.config import Variant
from spikecore_plugin_ssml.labels import tfi_label, tfp_label
from spikecore_plugin_ssml.variants import build_branch, build_double

import spikecore as sc

from .conftest import unpacked

TOLERANCE = 1e-5  # of the largest value

MODULES = {
    "conv_blind": lambda: original.Conv(6, 5, blind=True),
    "conv_plain": lambda: original.Conv(6, 5),
    "shift": original.shift,
    "crop": original.crop,
    "pool_blind": lambda: original.Pool(blind=True),
    "pool_plain": original.Pool,
    "rotate": original.rotate,
    "unrotate": original.unrotate,
    "enc_blind": lambda: original.ENC_Conv(6, 8, 4, blind=True),
    "enc_plain_noreduce": lambda: original.ENC_Conv(6, 8, 4, reduce=False),
    "dec_blind": lambda: original.DEC_Conv(10, 8, 3, blind=True),
    "dec_plain": lambda: original.DEC_Conv(10, 8, 3),
    "unet_blind": lambda: original.Blind_UNet(6, 7, blind=True),
    "unet_plain": lambda: original.Blind_UNet(6, 7, blind=False),
    "motion41_plain": lambda: original.MotionInference(41),
    "motion41_blind": lambda: original.MotionInference(41, blind=True),
    "motion27_plain": lambda: original.MotionInference(27),
    "channel_gate": lambda: original.ChannelGate(16, 4),
    "spatial_gate": original.SpatialGate,
    "cbam": lambda: original.CBAM(16, 4),
    "crisscross": lambda: original.CrissCrossAttention(16),
    "cam": original.CAM_Module,
    "tam": original.TAM_Module,
    "non_local": lambda: original.Non_Local_Attention(16, 3),
    "temporal_fusion": lambda: original.Temporal_Fusion(8, 3),
}

TABLES = {
    "nbsn_83000_simple.pth (= SpikeCV Blind_UNet(41,1,blind=False))": lambda: build_branch(Variant.A, "nbsn"),
    "spikecv_SSML_ReconNet": lambda: build_double(Variant.A),
    "spikezoo_DoubleNet (fin3g architecture)": lambda: build_double(Variant.B),
    "official_DoubleNet": lambda: build_double(Variant.C),
    "official_BlindVideoNetSpike(1,1)": lambda: build_branch(Variant.D, "bsn"),
}


def assert_close(ours, theirs):
    theirs = torch.from_numpy(theirs)
    assert ours.shape == theirs.shape
    assert float((ours - theirs).abs().max()) <= TOLERANCE * float(theirs.abs().max())


@pytest.mark.parametrize("tag", MODULES)
@torch.no_grad()
def test_modules_give_what_they_gave(golden, tag):
    file = golden("modules.npz")
    module = MODULES[tag]()
    module.load_state_dict(
        {key.split("/sd/")[1]: torch.from_numpy(file[key]) for key in file.files if key.startswith(f"{tag}/sd/")}
    )
    taken = [torch.from_numpy(file[f"{tag}/in{n}"]) for n in range(2) if f"{tag}/in{n}" in file.files]
    given = module(*taken)
    given = given if isinstance(given, tuple) else (given,)
    assert sum(key.startswith(f"{tag}/out") for key in file.files) == len(given)
    for number, value in enumerate(given):
        assert_close(value, file[f"{tag}/out{number}"])


def test_all_modules_are_here(golden):
    assert {key.split("/")[0] for key in golden("modules.npz").files if "/" in key} == set(MODULES)


def test_labels_are_equal(golden):
    file = golden("labels.npz")
    spikes = unpacked(file["spikes_packed"], 400)[None]
    for centre, window in ((20, 12), (20, 50), (6, 12), (34, 12), (13, 12)):
        label = tfi_label(spikes, centre, window)[0, 0]
        assert torch.equal(label, torch.from_numpy(file[f"tfi_m{centre}_w{window}"]))
    for length in (7, 11):
        assert torch.equal(tfp_label(spikes, 20, length)[0, 0], torch.from_numpy(file[f"tfp{length}_m20"]))


@pytest.mark.parametrize("name", ["sq", "wide", "tall"])
@torch.no_grad()
def test_the_official_network_gives_what_it_gave(golden, name):
    file = golden("rand_official_doublenet.npz")
    network = build_double(Variant.C)
    network.load_state_dict({key[3:]: torch.from_numpy(file[key]) for key in file.files if key.startswith("sd/")})
    spikes = unpacked(file[f"in/{name}_packed"], int(file[f"in/{name}_shape"][-1]))
    nbsn, bsn = network(spikes)
    given = {"nbsn": nbsn, "bsn": bsn, "tfi": tfi_label(spikes), "tfp": tfp_label(spikes)}
    for key, value in given.items():
        assert_close(value, file[f"out/{name}/{key}"])


@pytest.mark.parametrize("table", TABLES)
def test_networks_have_the_keys_and_shapes_of_the_originals(shared, table):
    stated = json.loads((shared / "golden" / "ssml" / "state_dict_tables.json").read_text())[table]
    assert {key: list(value.shape) for key, value in TABLES[table]().state_dict().items()} == stated


@pytest.mark.parametrize("clip", ["203_part2_key_id151", "203_part3_key_id151"])
def test_spikecvs_checkpoint_gives_what_it_gave(shared, golden, clip):
    file = golden(f"pre_nbsn83000_{clip}.npz")
    stream = sc.open(shared / "data" / "base" / "train" / "spike" / f"{clip}.dat", height=250, width=400)
    experiment = sc.compose(
        model={"use": "ssml/nbsn", "rate_guard": False},
        weights=str(shared / "weights" / "nbsn_83000_simple.pth"),
        gain=1.0,
        display="raw",
    )
    with pytest.warns(UserWarning, match=r"exceeds 0\.2 per frame"):
        image = sc.prepare(experiment).image(stream, at=150)
    assert_close(torch.from_numpy(image), file["out"])
