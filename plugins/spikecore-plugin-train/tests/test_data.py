"""What a model sees: the right window, the same view of everything, the same again whenever asked."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_train.config import LoopConfig, Sampling
from spikecore_plugin_train.data import TrainingSet, calibrated, clipped, portable
from spikecore_plugin_train.loader import Places, batches
from spikecore_plugin_train.order import Order, Place
from spikecore_plugin_train.view import View, see

from spikecore import EventStream, Layout, PluginHost, Sample, SpikeStream, UsageError, Window
from spikecore.testing.data import random_spikes
from spikecore.testing.tiny import TinySource

AUGMENT = LoopConfig(crop=4, flips=True, rotations=True)


def turned(picture, mode):
    """The reference: quarter turns counter-clockwise, then a mirror."""
    for _ in range(mode % 4):
        picture = np.stack([picture[..., :, column] for column in reversed(range(picture.shape[-1]))], axis=-2)
    return picture[..., ::-1] if mode >= 4 else picture


def everything(height=6, width=9, factor=1):
    """A sample whose spikes, events, frames and targets all show one and the same numbered picture."""
    picture = np.arange(height * width).reshape(height, width)
    spikes = SpikeStream.from_frames(picture[None] >> np.arange(6)[:, None, None] & 1, gain=2.0)
    y, x = (axis.ravel() for axis in np.indices(picture.shape))
    repeats = picture.ravel()
    events = EventStream(
        x=np.repeat(x, repeats), y=np.repeat(y, repeats), t=np.arange(repeats.sum()),
        p=np.ones(repeats.sum(), bool), height=height, width=width,
    )  # fmt: skip
    large = np.kron(picture, np.ones((factor, factor))).astype(np.float32)
    dense = picture.astype(np.float32)
    return Sample(
        key="everything",
        spikes=spikes,
        events=[events],
        frames=np.stack([dense[None], dense[None] + 1]),
        target={"image": large[None], "video": dense[None, None], "depth": dense[None], "features": np.arange(3)},
    )


def pictures(sample):
    """The numbered picture, as each part of a sample shows it."""
    spikes = (sample.spikes.unpack().astype(int) << np.arange(6)[:, None, None]).sum(0)
    (camera,) = sample.events
    events = np.zeros((camera.height, camera.width), int)
    np.add.at(events, (camera.y, camera.x), 1)
    return {
        "spikes": spikes,
        "events": events,
        "frames": sample.frames[0, 0],
        "later frames": sample.frames[1, 0] - 1,
        "video": sample.target["video"][0, 0],
        "depth": sample.target["depth"][0],
    }


@pytest.mark.parametrize("mode", range(8))
@pytest.mark.parametrize("box", [(0, 0, 6, 9), (1, 3, 4, 4), (2, 0, 3, 9), (5, 8, 1, 1)])
def test_everything_is_seen_alike_in_all_eight_ways(mode, box):
    top, left, height, width = box
    whole = np.arange(54).reshape(6, 9)
    wanted = turned(whole[top : top + height, left : left + width], mode)
    sample = see(everything(), View(*box, mode))
    for name, picture in pictures(sample).items():
        assert np.array_equal(picture, wanted), name
    assert np.array_equal(sample.target["image"][0], wanted)
    assert sample.target["features"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("mode", range(8))
def test_larger_targets_are_cut_larger(mode):
    sample = see(everything(factor=3), View(1, 2, 4, 4, mode))
    small = pictures(sample)["spikes"]
    assert np.array_equal(sample.target["image"][0], np.kron(small, np.ones((3, 3))))


def test_sizes_that_do_not_fit_are_refused():
    sample = everything()
    odd = attrs.evolve(sample, target={"image": np.zeros((1, 8, 9))})
    with pytest.raises(UsageError, match="8x9 is no whole multiple of the sample's 6x9"):
        see(odd, View(0, 0, 4, 4))


@pytest.mark.parametrize("mode", range(8))
def test_flow_is_turned_with_its_picture(mode):
    """A pixel displaced by its vector lands where the turned vector takes the turned pixel."""
    size = 5
    start, end = np.zeros((size, size)), np.zeros((size, size))
    start[1, 2], end[3, 1] = 1, 1  # it moves by x -1, y +2
    flow = np.zeros((2, size, size))
    flow[:, 1, 2] = (-1, 2)
    seen = see(Sample(key="flow", target={"flow": flow, "depth": start[None]}), View(0, 0, size, size, mode))
    (place,) = np.argwhere(turned(start, mode))
    (landed,) = np.argwhere(turned(end, mode))
    assert np.array_equal(np.argwhere(seen.target["depth"][0]), [place])
    dx, dy = seen.target["flow"][:, place[0], place[1]]
    assert (place[0] + dy, place[1] + dx) == tuple(landed)


@given(
    st.integers(1, 30), st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 40)
)
def test_every_sample_is_seen_once_an_epoch_by_one_process(samples, batch, processes, accumulate, skip, steps):
    orders = [Order(samples, batch, 7, rank, processes, accumulate) for rank in range(processes)]
    skip %= orders[0].batches
    shares = [list(order.shares(2, skip, steps)) for order in orders]
    whole = Order(samples, batch, 7)
    for number, together in enumerate(zip(*shares, strict=True)):
        epoch, position = 2 + (skip + number) // whole.batches, (skip + number) % whole.batches
        items = [item for share in together for micro in share.micros for item in micro]
        assert items == whole.permutation(epoch)[position * batch : (position + 1) * batch].tolist()
        assert {(share.epoch, share.number, share.size) for share in together} == {(epoch, position, len(items))}
        assert together[0].last == (position == whole.batches - 1)
        assert together[0].micros, "the writing process always has a share"
    assert len(shares[0]) == steps


def test_every_epoch_has_an_order_of_its_own():
    order = Order(20, 4, 0)
    assert order.permutation(0).tolist() != order.permutation(1).tolist()
    assert order.permutation(0).tolist() != Order(20, 4, 1).permutation(0).tolist()
    assert sorted(order.permutation(5).tolist()) == list(range(20))


def drawn(batch):
    """What a batch holds, as plain values."""
    return [
        (stream.packed.tobytes(), batch.target["image"][n].tobytes()) for n, stream in enumerate(batch.spikes.streams)
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers):
    training = TrainingSet(TinySource(7), Window.centred(8), AUGMENT, seed=5)
    places = Places(Order(7, 3, 5), 0, 1, 5)
    alone = [drawn(batch) for batch in batches(training, places, 0, 5)]
    assert alone == [drawn(batch) for batch in batches(training, places, workers, 5)]
    assert len(alone) == 5


def test_what_is_drawn_depends_on_seed_epoch_and_sample_alone():
    def at(epoch, item, seed=0):
        return portable(TrainingSet(TinySource(), Window.centred(8), AUGMENT, seed)[Place(epoch, item)])

    first = at(3, 2)
    at(0, 1)
    np.random.seed(1)
    torch.manual_seed(1)
    again = at(3, 2)
    assert first.spikes.packed.tobytes() == again.spikes.packed.tobytes()
    others = [at(4, 2), at(3, 2, seed=1)]
    assert all(first.target["image"].tobytes() != other.target["image"].tobytes() for other in others)


def test_a_loader_leaves_the_global_random_numbers_alone():
    training = TrainingSet(TinySource(), Window.centred(8), LoopConfig(), 0)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for _ in batches(training, Places(Order(8, 4, 0), 0, 0, 2), 0, 0):
        pass
    assert torch.equal(before, torch.get_rng_state())


class Large:
    """One recording of 64x64 with rows that hold extra columns and lie upside down, as files do."""

    def __init__(self, gain=None, target=True):
        self.gain, self.target = gain, target

    def __len__(self):
        return 1

    def __getitem__(self, index):
        layout = Layout(64, 64, row_bits=80, columns=((0, 64),), flip=True)
        frames = np.random.default_rng(0).random((200, 64, 64)) < 0.3
        stream = SpikeStream(layout.pack(frames), layout, gain=self.gain)
        truth = {"image": np.full((1, 64, 64), 0.5, np.float32)} if self.target else {}
        return Sample(key="large", spikes=stream, at=100, target=truth)


class LargeWithImages(Large):
    """The same, with the exact image of every instant."""

    def image(self, index, at):
        return np.full((64, 64), at / 200, np.float32)


def test_spikes_stay_packed_and_only_the_window_travels():
    import multiprocessing.reduction as reduction

    training = TrainingSet(Large(), Window.centred(40), LoopConfig(), 0)
    training.source[0].spikes.layout.index  # noqa: B018  # a cached table, larger than the spikes
    (batch,) = batches(training, Places(Order(1, 1, 0), 0, 0, 1), 1, 0)
    assert batch.spikes.streams[0].packed.shape == (40, 64 * 80 // 8)
    truth = batch.target["image"].nbytes
    assert len(reduction.ForkingPickler.dumps(batch)) < 40 * 640 + truth + 4000


def test_a_cropped_window_is_packed_again():
    config = LoopConfig(crop=16)
    sample = TrainingSet(Large(), Window.centred(40), config, 0)[Place(0, 0)]
    assert sample.spikes.packed.shape == (40, 16 * 16 // 8)
    assert sample.spikes.shape == (40, 16, 16)


@pytest.mark.parametrize("source", [LargeWithImages(), Large(target=False)])
def test_random_instants_have_their_own_truth(source):
    training = TrainingSet(source, Window.centred(40), LoopConfig(sampling=Sampling.RANDOM), 0)
    samples = [training[Place(epoch, 0)] for epoch in range(30)]
    whole = source[0].spikes
    for sample in samples:
        assert len(sample.spikes) == 40
        starts = [at for at in range(161) if np.array_equal(whole[at : at + 40].packed, sample.spikes.packed)]
        if sample.target:
            assert starts == [pytest.approx(200 * float(sample.target["image"][0, 0, 0]) - 20)]
    assert len({sample.spikes.packed.tobytes() for sample in samples}) > 20


def test_random_instants_without_their_truth_are_refused():
    training = TrainingSet(Large(), Window.centred(40), LoopConfig(sampling=Sampling.RANDOM), 0)
    with pytest.raises(UsageError, match="known at instant 100 only"):
        training[Place(0, 0)]


def test_pictures_are_calibrated_to_spikes_per_frame():
    assert np.allclose(calibrated(Large(gain=2.0)[0]).target["image"], 0.25)
    assert np.allclose(TrainingSet(Large(2.0), Window(), LoopConfig(), 0)[Place(0, 0)].target["image"], 0.25)
    raw = TrainingSet(Large(2.0), Window(), LoopConfig(calibrate=False), 0)[Place(0, 0)]
    assert np.allclose(raw.target["image"], 0.5)
    assert np.array_equal(calibrated(everything()).target["video"], everything().target["video"]), "camera frames"


def test_clips_keep_frames_truth_and_spikes_together():
    total = 8
    sample = Sample(
        key="clip",
        spikes=SpikeStream.from_frames(np.eye(80, dtype=bool)[:, None]),
        frames=np.arange(total, dtype=np.float32).reshape(total, 1, 1, 1),
        frame_times=np.arange(total) * 10.0 + 5,
        target={"video": np.arange(total, dtype=np.float32).reshape(total, 1, 1, 1)},
    )
    starts = set()
    for seed in range(40):
        clip = clipped(sample, 3, np.random.default_rng(seed), Window())
        first = int(clip.frames[0, 0, 0, 0])
        starts.add(first)
        assert clip.frames.ravel().tolist() == clip.target["video"].ravel().tolist() == [first, first + 1, first + 2]
        assert clip.frame_times.tolist() == [0, 10, 20]
        assert clip.spikes.unpack().argmax(2).ravel().tolist() == list(range(10 * first + 5, 10 * first + 26))
    assert starts == set(range(6))
    with pytest.raises(UsageError, match="too few for clip_length = 9"):
        clipped(sample, 9, np.random.default_rng(0), Window())


@pytest.mark.parametrize("window", [Window(), Window.centred(5), Window(6, 1), Window.centred(5, clip=True)])
@pytest.mark.parametrize("at", [4, 10, 43])
def test_clips_of_spikes_hold_the_window_of_the_truth(window, at):
    stream = random_spikes(0.3, 50, (2, 2))
    sample = Sample(key="clip", spikes=stream, at=at, target={"image": np.zeros((1, 2, 2))})
    wanted = sample.around(window).spikes.unpack() if window.length and not window.clip else None
    starts = set()
    for seed in range(60):
        clip = clipped(sample, 8, np.random.default_rng(seed), window)
        start = at - clip.at
        starts.add(start)
        assert len(clip.spikes) == 8
        assert np.array_equal(clip.spikes.packed, stream[start : start + 8].packed)
        assert wanted is None or np.array_equal(clip.around(window).spikes.unpack(), wanted)
    assert len(starts) > 1
    free = clipped(attrs.evolve(sample, target={}), 8, np.random.default_rng(0), window)
    free.around(window)


def test_clips_without_room_for_the_window_are_refused():
    sample = Sample(key="clip", spikes=random_spikes(0.3, 50, (2, 2)), at=1, target={"image": np.zeros((1, 2, 2))})
    with pytest.raises(UsageError, match="clip_length = 8 is too short for the window of 9 frames"):
        clipped(sample, 8, np.random.default_rng(0), Window.centred(9))
    with pytest.raises(UsageError, match="around instant 1 reaches outside"):
        clipped(sample, 8, np.random.default_rng(0), Window.centred(5))


FRAMES = np.zeros((4, 1, 2, 2), np.float32)
EVENTS = [EventStream(x=np.zeros(1), y=np.zeros(1), t=np.zeros(1), p=np.ones(1, bool), height=2, width=2)]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"events": EVENTS}, "both spikes and events"),
        ({"frames": FRAMES}, "camera frames whose times are not known"),
        ({"frames": FRAMES, "frame_times": np.arange(4.0), "target": {"image": FRAMES[0]}}, "one instant .image."),
        ({"frames": FRAMES, "frame_times": np.arange(4.0), "target": {"video": FRAMES[:3]}}, "3 instants and 4 camera"),
        ({"target": {"video": FRAMES}}, "a true video whose instants are not known"),
    ],
)
def test_what_cannot_be_clipped_together_is_refused(parts, told):
    sample = Sample(key="clip", spikes=random_spikes(0.3, 50, (2, 2)), **parts)
    with pytest.raises(UsageError, match=told):
        clipped(sample, 2, np.random.default_rng(0), Window())


@pytest.mark.parametrize(
    ("config", "cameras", "size", "modes"),
    [
        (LoopConfig(flips=True, rotations=True), 1, (8, 8), set(range(8))),
        (LoopConfig(flips=True), 1, (8, 8), {0, 2, 4, 6}),
        (LoopConfig(rotations=True), 1, (8, 8), {0, 1, 2, 3}),
        (LoopConfig(rotations=True), 1, (8, 10), {0, 2}),
        (LoopConfig(flips=True, rotations=True, crop=6), 1, (8, 10), set(range(8))),
        (LoopConfig(flips=True, rotations=True), 2, (8, 8), {0, 6}),
        (LoopConfig(flips=True), 2, (8, 10), {0, 6}),
        (LoopConfig(crop=3), 1, (8, 10), {0}),
    ],
)
def test_only_turns_that_keep_shapes_and_stereo_are_drawn(config, cameras, size, modes):
    event = np.zeros(1, np.int64)
    camera = EventStream(x=event, y=event, t=event, p=event > 0, height=size[0], width=size[1])
    training = TrainingSet(TinySource(), Window(), config, 0)
    sample = Sample(key="any", events=[camera] * cameras)
    views = [training._view(sample, np.random.default_rng(seed)) for seed in range(200)]
    assert {view.mode for view in views} == modes
    corners = {(view.top, view.left) for view in views}
    side = config.crop
    assert len(corners) == ((size[0] - side + 1) * (size[1] - side + 1) if side else 1)


def test_a_crop_larger_than_the_picture_is_refused():
    with pytest.raises(UsageError, match="item-0 is 6x7, too small for crop = 7"):
        TrainingSet(TinySource(), Window.centred(8), LoopConfig(crop=7), 0)[Place(0, 0)]


def test_events_read_lazily_travel_as_arrays():
    class Lazy(list):
        """Like a data set of a file: an array once it is looked at."""

        def __array__(self, dtype=None, copy=None):
            return np.array(list(self), dtype)

    camera = EventStream(x=Lazy([0]), y=Lazy([0]), t=Lazy([5]), p=Lazy([True]), height=2, width=2)
    owned = portable(Sample(key="lazy", events=[camera])).events[0]
    assert all(isinstance(getattr(owned, field), np.ndarray) for field in "xytp")


def test_scenes_give_exact_images_at_random_instants():
    host = PluginHost.discover(allow=["builtin"])
    scene = host.build(host.find("builtin/scene"), {"height": 16, "width": 16, "length": 30, "shapes": 3})
    training = TrainingSet(scene, Window.centred(9), LoopConfig(sampling=Sampling.RANDOM), 0)
    rate = np.mean([training[Place(n, 0)].spikes.unpack().mean() for n in range(10)])
    truth = np.mean([training[Place(n, 0)].target["image"].mean() for n in range(10)])
    assert rate == pytest.approx(truth, rel=0.1)
