"""simulate/classes: SpikeCLIP's labelled sets, imitated with the faults repaired, or with them."""

from __future__ import annotations

import hashlib
import json

import cv2
import numpy as np
import pytest
from spikecore_plugin_simulate.class_folder import write_class_folder
from spikecore_plugin_simulate.class_pictures import toy_picture
from spikecore_plugin_simulate.config import ClassesConfig, Dataset
from spikecore_plugin_simulate.labels import NAMES
from spikecore_plugin_simulate.original_classes import original_latent

from spikecore import SpikeFormatError, UsageError, spike_statistics


def test_labels_are_the_original_ones():
    caltech = NAMES[Dataset.CALTECH]
    digest = hashlib.sha256("\n".join(caltech).encode()).hexdigest()
    assert digest == "9520f580ae87552d4bbdd942ea008d01fed2cd1505c48191c9b3b86c91891d39"
    assert (len(caltech), caltech[47]) == (101, "helicopter")
    assert len(NAMES[Dataset.CIFAR]) == 10


def test_items_carry_label_and_text(build):
    source = build("classes", num_train=3, num_frames=10)
    assert len(source) == 30
    assert [(source[index].label, source[index].text) for index in (0, 2, 3, 29)] == [
        (0, "frog"), (0, "frog"), (1, "horse"), (9, "deer"),
    ]  # fmt: skip
    assert build("classes", dataset="caltech", split="test", num_test=1, num_frames=5)[47].text == "helicopter"


def test_items_differ_and_repeat(build):
    kinds = [{}, {"seed": 1}, {"split": "test", "num_test": 2}]
    sources = [build("classes", num_train=2, num_frames=10, **kind) for kind in kinds]
    items = [source[index].spikes.packed.tobytes() for source in sources for index in (0, 1)]
    assert len(set(items)) == 6
    assert build("classes", num_train=2, num_frames=10)[1].spikes.packed.tobytes() == items[1]


def test_statistics_are_those_of_the_real_set(build):
    source = build("classes", num_train=1, fast_ratio=0.0)
    reports = [spike_statistics(source[index].spikes) for index in range(10)]
    assert np.mean([report["spike_rate"] for report in reports]) == pytest.approx(0.031, abs=0.006)
    assert max(report["silent_pixels"] for report in reports) == 0
    assert np.mean([report["interval_variation"] for report in reports]) == pytest.approx(0.035, abs=0.015)
    assert source[0].spikes.shape == (200, 250, 250)


def test_every_class_has_its_own_picture():
    """Another item of each class is more like its own class than like any other of the 101."""

    def pictures(item):
        made = [toy_picture(label, (224, 224), np.random.default_rng([item, label])) for label in range(101)]
        small = np.stack(made)[:, 5::10, 5::10].reshape(101, -1)
        return (small - small.mean(1, keepdims=True)) / small.std(1, keepdims=True)

    alike = pictures(0) @ pictures(1).T
    assert (alike.argmax(1) == np.arange(101)).mean() > 0.95


def test_originals_classes_repeat():
    for labels, classes in (((6, 9), 10), ((66, 99), 101), ((67, 100), 101)):
        one, other = (original_latent(label, classes, (224, 224)) for label in labels)
        assert np.array_equal(one, other)
    assert not np.array_equal(original_latent(6, 10, (224, 224)), original_latent(7, 10, (224, 224)))


def test_original_behaves_as_it_did(build):
    source = build("classes", num_train=1, original=True)
    reports = [spike_statistics(source[index].spikes) for index in (0, 4, 8)]
    assert all(0.05 < report["silent_pixels"] < 0.6 for report in reports)
    assert min(report["interval_variation"] for report in reports) > 0.3


def test_conditions_follow_their_shares(build):
    for ratio in (0.0, 1.0):
        source = build("classes", num_train=2, num_frames=2, lowlight_ratio=ratio, fast_ratio=1 - ratio)
        found = {(source[index].meta["light"], source[index].meta["motion"]) for index in range(20)}
        assert found == {("low", "slow") if ratio else ("normal", "fast")}


@pytest.fixture
def photographs(tmp_path):
    for number, name in enumerate(NAMES[Dataset.CIFAR]):
        (tmp_path / name).mkdir()
        for shot in range(3):
            picture = np.full((40, 50, 3), 20 * number + 10 + shot, np.uint8)
            cv2.imwrite(str(tmp_path / name / f"{shot}.png"), picture)
    return tmp_path


def test_photographs(build, photographs):
    options = {"images": str(photographs), "num_train": 4, "num_test": 2, "num_frames": 4}
    levels = {}
    for split in ("train", "test"):
        source = build("classes", split=split, **options)
        levels[split] = [
            round((float(np.median(source[index].target["image"])) - 0.12) / 0.88 * 255) for index in range(8)
        ]
    assert set(levels["train"]) <= {10, 11, 30, 31}
    assert set(levels["test"]) <= {12, 32, 52, 72}


def test_photographs_that_are_missing(build, photographs):
    with pytest.raises(SpikeFormatError, match="no folder for 101 of 101 classes, first 'accordion'"):
        build("classes", dataset="caltech", images=str(photographs))
    for path in sorted((photographs / "dog").iterdir())[1:]:
        path.unlink()
    with pytest.raises(UsageError, match="at least two"):
        build("classes", images=str(photographs))


@pytest.mark.parametrize("original", [False, True])
def test_folder(tmp_path, original):
    config = ClassesConfig(num_train=2, num_test=1, num_frames=8, original=original, seed=3)
    written = list(write_class_folder(tmp_path / "U-CIFAR", config))
    assert len(written) == 31
    names = [path.relative_to(tmp_path / "U-CIFAR").as_posix() for path in written]
    assert names[:2] + names[19:21] + names[-2:] == [
        "train/00000.npz", "train/00001.npz", "train/00019.npz", "test/00020.npz", "test/00029.npz", "manifest.json",
    ]  # fmt: skip
    with np.load(written[5]) as held:
        assert sorted(held.files) == ["label", "spk"] if original else ["label", "label_name", "spk"]
        assert held["spk"].shape == (8, 250, 250)
        assert held["spk"].dtype == (np.float32 if original else np.uint8)
        assert (int(held["label"]), held["label"].shape) == (2, ())
        assert original or str(held["label_name"]) == "dog"
    manifest = json.loads(written[-1].read_text())
    assert manifest["options"]["seed"] == 3
    assert len(manifest["items"]) == 30
    assert manifest["items"]["train/00005.npz"]["label"] == 2


def test_sizes_that_do_not_fit_are_refused(build):
    from spikecore import ConfigError

    with pytest.raises(ConfigError, match=r"rows and columns of 16\.\.250"):
        build("classes", image_size=[300, 224])
