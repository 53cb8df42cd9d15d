"""Methods that go through a recording with a state."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from spikecore.data.sample import Sample, Window
from spikecore.data.spikes import SpikeStream
from spikecore.errors import Interrupted, PluginError, SpikecoreError, UsageError
from spikecore.runner.prepare import Pipeline

from .models import method_of, plain


class Smooth(nn.Module):
    """The mean of the window, averaged over the instants so far."""

    window = Window.centred(5)

    def __init__(self, fault=""):
        super().__init__()
        self.network = nn.Identity()
        self.fault = fault
        self.begun = []

    def forward(self, batch):
        mean = batch.spikes.tensor().mean(1, keepdim=True)
        return {"image": mean, "depth": 10 + mean}

    def session(self, sample):
        self.begun.append(sample.key)
        return Way(self, sample)


class Way:
    """One way through a recording."""

    def __init__(self, model, sample):
        self.model, self.sample = model, sample
        self.seen = []

    def outputs(self, at):
        assert torch.is_inference_mode_enabled()
        if self.model.fault == "stumble":
            raise IndexError("off the edge")
        part = self.model.window.cut(self.sample.spikes, at)[0]
        self.seen.append(torch.from_numpy(part.unpack()).float().mean(0))
        mean = torch.stack(self.seen).mean(0)[None, None]
        if self.model.fault == "narrow":
            mean = mean[..., 1:]
        return {"image": mean, "depth": 10 + mean}


def clip(name="clip"):
    frames = np.random.default_rng(0).random((40, 6, 8)) < 0.4
    return Sample(key=name, spikes=SpikeStream.from_frames(frames, name=name))


def means(*instants):
    """What the stateless method gives."""
    return {at: clip().spikes[at - 2 : at + 3].unpack().mean(0) for at in instants}


def test_a_state_is_carried_from_instant_to_instant():
    found = dict(Pipeline(method_of(Smooth(), "image")).stream(clip(), [10, 11, 20]))
    alone = means(10, 11, 20)
    assert np.allclose(found[10], alone[10], atol=1e-6)
    assert np.allclose(found[11], (alone[10] + alone[11]) / 2, atol=1e-6)
    assert np.allclose(found[20], (alone[10] + alone[11] + alone[20]) / 3, atol=1e-6)


def test_every_video_begins_anew():
    model = Smooth()
    made = Pipeline(method_of(model, "image"))
    one, other = (dict(made.stream(clip(), [10, 11, 20])) for _ in range(2))
    assert model.begun == ["clip", "clip"]
    assert all(np.array_equal(one[at], other[at]) for at in one)


def test_one_instant_needs_no_session():
    model = Smooth()
    made = Pipeline(method_of(model, "image"))
    assert np.allclose(dict(made.stream(clip(), [10]))[10], means(10)[10], atol=1e-6)
    assert np.allclose(made.image(clip().spikes, 10), means(10)[10], atol=1e-6)
    assert model.begun == []


def test_the_wanted_kind_is_taken():
    found = dict(Pipeline(method_of(Smooth(), "image", "depth", result="depth")).stream(clip(), [10, 11]))
    assert np.allclose(found[10][0], 10 + means(10)[10], atol=1e-5)


@pytest.mark.parametrize(
    ("fault", "message"), [("stumble", "failed: IndexError: off the edge"), ("narrow", r"shape \(1, 1, 6, 7\)")]
)
def test_what_a_session_gives_is_checked(fault, message):
    with pytest.raises(PluginError, match=rf"fake/fake.*{message}"):
        list(Pipeline(method_of(Smooth(fault), "image")).stream(clip(), [10, 11]))


def test_progress_counts_instants_and_cancels():
    told = []
    made = Pipeline(method_of(Smooth(), "image"))
    list(made.stream(clip(), [10, 11, 20], lambda *one: told.append(one)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    seen = []
    with pytest.raises(Interrupted, match="cancelled after 2 of 3 pieces"):
        seen.extend(at for at, _ in made.stream(clip(), [10, 11, 20], lambda done, total: done < 2))
    assert seen == [10, 11]


def test_a_state_is_not_carried_through_tiles():
    with pytest.raises(UsageError, match="fake/fake goes through a recording as a whole, not in tiles; use --tile 0"):
        next(Pipeline(method_of(Smooth(), "image", tile=4, overlap=1)).stream(clip(), [10, 11]))


def test_reduced_precision_holds_in_sessions_too():
    seen = []

    class Asking(Smooth):
        def session(self, sample):
            way = Way(self, sample)
            inner = way.outputs
            way.outputs = lambda at: seen.append(torch.is_autocast_enabled("cpu")) or inner(at)
            return way

    list(Pipeline(method_of(Asking(), "image", precision="bfloat16")).stream(clip(), [10, 11]))
    assert seen == [True, True]


def test_a_progress_function_that_fails_is_not_the_methods_fault():
    def broken(done, total):
        raise KeyError("bar")

    for wanted in ([10, 11], [10]):
        with pytest.raises(SpikecoreError, match="the progress function failed: KeyError: 'bar'") as failure:
            list(Pipeline(method_of(Smooth(), "image")).stream(clip(), wanted, broken))
        assert not isinstance(failure.value, PluginError)


class Sliding:
    """A reconstructor whose session is told from its batches."""

    window = Window.centred(5)

    def reconstruct(self, batch):
        return batch.spikes.tensor().mean(1, keepdim=True)

    def session(self, stream):
        assert isinstance(stream, SpikeStream)
        return self

    def image(self, at):
        return np.full((6, 8), at / 100, np.float32)


def test_reconstructors_are_given_the_stream():
    made = Pipeline(plain(Sliding(), "image"))
    assert [float(picture[0, 0]) for _, picture in made.stream(clip(), [10, 30])] == pytest.approx([0.1, 0.3])
    assert np.allclose(made.image(clip().spikes, 10), means(10)[10], atol=1e-6)


def test_sessions_of_reconstructors_are_for_the_cpu():
    found = dict(Pipeline(plain(Sliding(), "image", device="cpu:0")).stream(clip(), [10, 30]))  # taken for another one
    assert np.allclose(found[30], means(30)[30], atol=1e-6)


@pytest.mark.gpu
def test_sessions_of_models_are_for_any_device():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    model = Smooth()
    found = dict(Pipeline(method_of(model, "image", device="cuda")).stream(clip(), [10, 11]))
    assert model.begun == ["clip"]
    assert np.allclose(found[11], sum(means(10, 11).values()) / 2, atol=1e-6)
