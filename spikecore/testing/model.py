"""What every model promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from spikecore.data.kinds import Data
from spikecore.data.sample import Sample, event_span
from spikecore.plugin.bound import Bound
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.host import PluginHost
from spikecore.plugin.interfaces import Stage
from spikecore.testing import data
from spikecore.testing.checks import copied, difference, shape_fault
from spikecore.testing.method import MethodContract, Results, Run
from spikecore.weights.files import statement
from spikecore.weights.find import locate
from spikecore.weights.load import load_model


class ModelContract(MethodContract):
    """Tests for a model, with random weights.

    Attributes:
        without_gradient: Patterns ("flow.*") of trainable parameters that the output does not depend on.
    """

    kind: ClassVar[Kind] = Kind.MODEL
    without_gradient: ClassVar[Sequence[str]] = ()

    @pytest.fixture
    def run(self, built: Any, entry: Component) -> Run:
        """Calls the model in evaluation mode; extras beyond the kinds it produces are left out."""
        return lambda batch: _declared(built.eval()(batch), entry)

    def test_holds_a_network(self, built: Any) -> None:
        """It is a `torch.nn.Module`, and so is `network`, which holds all its parameters.

        If this fails: `class Method(nn.Module)` with `self.network = Net(…)` in `__init__`, and nothing trained beside.
        """
        assert isinstance(built, nn.Module), f"{type(built).__name__} is not a torch.nn.Module"
        assert isinstance(built.network, nn.Module), f"network is a {type(built.network).__name__}"
        own, bare = dict(built.named_parameters()), dict(built.network.named_parameters())
        unknown = [name for name, one in bare.items() if not any(one is other for other in own.values())]
        assert not unknown, f"the model does not know parameters of its network: {', '.join(unknown)}"
        outside = [name for name, one in own.items() if not any(one is other for other in bare.values())]
        assert not outside, f"parameters outside the network are not saved with it: {', '.join(outside)}"

    def test_gradients_reach_every_parameter(self, built: Any, pair: tuple[Sample, Sample]) -> None:
        """Every trainable parameter gets a finite gradient from the output.

        If this fails: look for `.detach()`, `.data`, `torch.no_grad()` or a step without surrogate gradient on the way;
        name what the method itself leaves unused in `without_gradient`.
        """
        output = built.train()(self.batch(*pair))
        random = torch.Generator().manual_seed(0)
        goals = [value - torch.rand(value.shape, generator=random) for value in output.values() if value.requires_grad]
        assert goals, "no output depends on a parameter"
        total = torch.stack([goal.square().mean() for goal in goals]).sum()
        trainable = {name: one for name, one in built.named_parameters() if one.requires_grad}
        found = torch.autograd.grad(total, list(trainable.values()), allow_unused=True)
        gradients = dict(zip(trainable, found, strict=True))
        missing = {name for name, gradient in gradients.items() if gradient is None}
        excused = {name for name in trainable if any(fnmatch(name, pattern) for pattern in self.without_gradient)}
        assert not missing - excused, f"no gradient reaches {', '.join(sorted(missing - excused))}"
        assert excused <= missing, f"`without_gradient` names {', '.join(sorted(excused - missing))}, which get one"
        broken = [name for name, one in gradients.items() if one is not None and not one.isfinite().all()]
        assert not broken, f"the gradient is not finite at {', '.join(broken)}"

    def test_state_dict_is_all_there_is(
        self, built: Any, entry: Component, host: PluginHost, settings: Mapping[str, Any], pair: tuple[Sample, Sample]
    ) -> None:
        """A second model that loads the first one's `network.state_dict()` gives the same output.

        If this fails: a parameter or buffer lies outside `network`, is no `nn.Parameter`, or has `persistent=False`.
        """
        torch.manual_seed(1)
        other = host.build(entry, settings)
        state = {key: value.clone() for key, value in built.network.state_dict().items()}
        other.network.load_state_dict(state)
        with torch.no_grad():
            one, two = built.eval()(self.batch(*pair)), other.eval()(self.batch(*pair))
        for kind in _declared(one, entry):
            apart = difference(one[kind], two[kind])
            assert apart <= self.tolerance, f"{kind} differs by {apart:g} after loading the same weights"

    def test_same_seed_gives_same_weights(
        self, host: PluginHost, entry: Component, settings: Mapping[str, Any], built: Any
    ) -> None:
        """Built twice under one `torch.manual_seed`, it has the same weights.

        If this fails: draw initial weights with torch's own generator, not with NumPy's, Python's or one of your own.
        """
        states = []
        for _ in range(2):
            torch.manual_seed(0)
            states.append(host.build(entry, settings).state_dict())
        differing = [key for key, value in states[0].items() if not torch.equal(value, states[1][key])]
        assert not differing, f"differ under one seed: {', '.join(differing)}"

    @pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
    def test_session_begins_like_forward(self, built: Any, entry: Component, run: Run, device: str) -> None:
        """If it offers `session(sample)`, the first `session.outputs(at)` is what `forward` gives for that instant.

        If this fails: a session holds its state itself, at rest when it begins; outputs are mappings like those of
        `forward` for one item, on the model's device.
        """
        if device == "cuda" and not torch.cuda.is_available():
            pytest.skip("no CUDA device")
        sample, instants = self._walk(built, entry)
        built.to(device)
        for at in (instants[0], instants[-1]):
            (first,) = _walked(built, entry, sample, [at])
            with torch.no_grad():
                alone = run(self.batch(sample.around(built.window, at), device=device))
            assert first.keys() == alone.keys(), f"gives {', '.join(first)}; forward gives {', '.join(alone)}"
            for kind, value in first.items():
                assert value.device.type == device, f"{kind} is on {value.device}, the model on {device}"
                apart = difference(value, alone[kind])
                assert apart <= self.tolerance, f"{kind} of instant {at} differs by {apart:g} from that of forward"

    def test_session_repeats_itself(self, built: Any, entry: Component) -> None:
        """Sessions of one sample that are asked for the same instants, in increasing order, give the same results.

        If this fails: nothing may be left on the model when a session ends, and nothing is random.
        """
        sample, instants = self._walk(built, entry)
        one, other = (_walked(built, entry, sample, instants) for _ in range(2))
        for at, first, second in zip(instants, one, other, strict=True):
            for kind, value in first.items():
                fault = shape_fault(kind, tuple(value.shape), 1, self.sizes[0])
                assert not fault, f"of instant {at}, {fault}"
                assert bool(value.isfinite().all()), f"{kind} of instant {at} holds NaN or infinity"
                apart = difference(value, second[kind])
                assert apart <= self.tolerance, f"{kind} of instant {at} differs by {apart:g} the second time"

    def _walk(self, built: Any, entry: Component) -> tuple[Sample, list[int]]:
        """A recording longer than the window, and instants in it, some side by side, some with gaps."""
        if getattr(built, "session", None) is None:
            pytest.skip("offers no session")
        window, frames = built.window, built.window.unit == "frames"
        if Data.FRAMES in entry.consumes or (window.length is None and Data.SPIKES not in entry.consumes):
            pytest.skip("gives one result of a recording")
        length, span = (window.length or self.length) + 12, (window.length or 0) + 1200
        shape = data.Shape(self.sizes[0], length if frames else self.length, self.cameras, span=span)
        sample = data.sample(entry.consumes, shape, seed=3)
        whole = range(len(sample.spikes)) if frames and sample.spikes is not None else event_span(sample.events)
        valid = window.valid(len(whole), whole.start)
        return sample, [valid[number] for number in sorted({0, 1, 2, len(valid) // 2, len(valid) - 1})]

    def test_stages_are_a_recipe(self, built: Any) -> None:
        """`stages()` is a list of `Stage`s, each with steps or epochs, whose patterns fit parameters.

        If this fails: give each stage one of `steps` and `epochs`; `trains` maps patterns of parameter names.
        """
        stages = built.stages()
        assert len(stages) > 0, "no stages"
        names = [*dict(built.named_parameters()), *dict(built.network.named_parameters())]
        for stage in stages:
            assert isinstance(stage, Stage), f"{stage!r} is not a Stage"
            assert (stage.steps is None) != (stage.epochs is None), f"stage {stage.name!r} needs steps or epochs"
            for pattern in stage.trains:
                assert any(fnmatch(name, pattern) for name in names), f"{pattern!r} of {stage.name!r} fits no parameter"

    def test_shipped_weights_fit(self, host: PluginHost, entry: Component) -> None:
        """Weights that come with the plugin are found, have the stated hash and load into the network.

        If this fails: state the file's sha256, size and options anew in `Weights` (the options are those of the
        training that differ from the defaults), or rebuild the wheel with the file in it.
        """
        shipped = [weights for weights in entry.weights if weights.file]
        if not shipped:
            pytest.skip("ships no weights")
        if entry.missing():
            pytest.skip(f"{entry.id} needs modules that are not installed: {', '.join(entry.missing())}")
        for weights in shipped:
            path, _ = locate(host, entry, weights.name)
            assert path.stat().st_size == weights.size, f"{path} has {path.stat().st_size} bytes, not {weights.size}"
            stated = load_model(host, Bound(entry, host.configure(entry, {})), weights.name).bound.config
            made = statement(path, entry)
            assert made is None or host.configure(entry, made["options"]) == stated, f"options of {weights.name!r}"


def _walked(built: Any, entry: Component, sample: Sample, instants: Sequence[int]) -> list[Results]:
    with torch.inference_mode():
        session = built.eval().session(copied(sample))
        return [_declared(session.outputs(at), entry) for at in instants]


def _declared(output: Mapping[str, torch.Tensor], entry: Component) -> Results:
    return {kind: output[kind] for kind in entry.produces if kind in output}
