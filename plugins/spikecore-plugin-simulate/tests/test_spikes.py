"""simulate/spikes: footage becomes light, light becomes spikes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import spikecore as sc


def luma(pictures):
    return pictures[..., ::-1].astype(float) @ (0.299, 0.587, 0.114) / 255


def test_a_video_and_its_images_make_the_same_spikes(build, video, images):
    one, other = build("spikes", path=str(video))[0], build("spikes", path=str(images))[0]
    assert np.array_equal(one.spikes.packed, other.spikes.packed)
    assert one.spikes.shape == (12, 30, 40)
    assert one.meta == {"rate": 0.6, "seed": 0}


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "mp4v"), ("webm", "VP80"), ("avi", "MJPG"), ("mkv", "FFV1")])
def test_containers(build, tmp_path, pictures, suffix, codec):
    path = tmp_path / f"film.{suffix}"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, (40, 30))
    if not writer.isOpened():
        pytest.skip(f"OpenCV cannot write {codec} here")
    for picture in pictures:
        writer.write(picture)
    writer.release()
    sample = build("spikes", path=str(path))[0]
    assert len(sample.spikes) == 12
    assert np.abs(sample.target["image"][0] - luma(pictures)[6]).mean() < 0.03


def test_target_is_the_grey_picture_of_the_middle_frame(build, video, pictures):
    sample = build("spikes", path=str(video))[0]
    assert sample.at == 6
    assert np.allclose(sample.target["image"][0], luma(pictures)[6], atol=1e-6)


def test_interpolation_mixes_linearly(build, video, pictures):
    source = build("spikes", path=str(video), interpolate=4)
    assert len(source[0].spikes) == 45
    assert np.allclose(source.image(9), 0.75 * luma(pictures)[2] + 0.25 * luma(pictures)[3], atol=1e-6)
    assert np.allclose(source.image(44), luma(pictures)[11], atol=1e-6)


def test_counts_are_the_sum_of_the_light(build, video, pictures):
    source = build("spikes", path=str(video), interpolate=20, rate=0.5)
    stream = source[0].spikes
    light = np.mean([source.image(at) for at in range(0, 221, 10)], axis=0)
    assert np.abs(stream.counts() / 221 - 0.5 * light).max() < 1.5 / 221 + 0.002


def test_spiklings_grey_swaps_red_and_blue(build, video, pictures):
    image = build("spikes", path=str(video), grey="spikling")[0].target["image"][0]
    assert np.allclose(image, luma(pictures[6][..., ::-1]), atol=1e-6)


def test_gamma(build, video, pictures):
    image = build("spikes", path=str(video), gamma=2.2)[0].target["image"][0]
    assert np.allclose(image, luma(pictures)[6] ** 2.2, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "shape"), [({"height": 15}, (15, 20)), ({"width": 20}, (15, 20)), ({"height": 10, "width": 30}, (10, 30))]
)
def test_sizes(build, video, size, shape):
    assert build("spikes", path=str(video), **size)[0].target["image"].shape == (1, *shape)


def test_pictures_are_cropped_in_the_middle_then_averaged(build, video, pictures):
    image = build("spikes", path=str(video), height=15, width=10)[0].target["image"][0]
    middle = luma(pictures)[6][:, 10:30]
    assert np.allclose(image, middle.reshape(15, 2, 10, 2).mean((1, 3)), atol=1e-5)


def test_length_is_a_limit(build, video):
    assert len(build("spikes", path=str(video), length=5)[0].spikes) == 5
    assert len(build("spikes", path=str(video), length=500)[0].spikes) == 12


def test_sixteen_bit_images_keep_their_bits(build, still):
    image = np.linspace(0.2, 0.201, 48).reshape(6, 8)
    target = build("spikes", path=str(still(image, 2)))[0].target["image"][0]
    assert np.abs(target - image).max() < 1e-5


def test_opened_by_file_name(video):
    assert sc.open(video, source="simulate/spikes").shape == (12, 30, 40)


def test_seed_and_only_the_seed_changes_the_phases(build, video):
    one, same, other = (build("spikes", path=str(video), seed=seed)[0].spikes.packed for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_floating_point_images(build, tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.tiff"), np.full((6, 8, 3), 0.25, np.float32))
    assert np.allclose(build("spikes", path=str(tmp_path))[0].target["image"], 0.25)
