"""What every loss promises."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch

from spikecore.data.batch import Batch, collate
from spikecore.data.kinds import Data
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.interfaces import Loss, LossTerms
from spikecore.testing import data
from spikecore.testing.checks import batch_arrays, changed
from spikecore.testing.contract import ComponentContract

Output = dict[str, torch.Tensor]


class LossContract(ComponentContract):
    """Tests for a loss.

    Attributes:
        zero_at_equality: True if it is smallest (zero, or nearly) where the output is the ground truth.
        size: Height and width of pictures.
        length: Spike frames of the batch, which carries spikes for losses that look at them.
        frames: Frames of videos.
        classes: Number of classes of labels.
    """

    kind: ClassVar[Kind] = Kind.LOSS
    zero_at_equality: ClassVar[bool] = False
    size: ClassVar[data.Size] = (13, 17)
    length: ClassVar[int] = 32
    frames: ClassVar[int] = 3
    classes: ClassVar[int] = 10

    def batch(self, entry: Component) -> Batch:
        """Two items with spikes and the ground truth it needs; override this where it needs more."""
        shape = data.Shape(self.size, self.length, 1, self.frames, self.classes)
        samples = [data.sample({Data.SPIKES}, shape, targets=entry.targets, seed=seed) for seed in (1, 2)]
        return collate(samples).to("cpu")

    def output(self, entry: Component) -> Output:
        """What a model might give for that batch; override this for losses that need extras by name."""
        return {kind: self._values(kind, seed=5) for kind in entry.consumes}

    def _values(self, kind: Data, seed: int) -> torch.Tensor:
        random = torch.Generator().manual_seed(seed)
        if kind is Data.LABEL:
            return torch.rand((2, self.classes), generator=random)
        one = torch.from_numpy(data.picture(kind, self.size, frames=self.frames))
        return torch.rand((2, *one.shape), generator=random) + (1 if kind is Data.DEPTH else 0)

    def test_gives_scalar_terms(self, built: Loss, entry: Component) -> None:
        """It gives `LossTerms` whose total and parts are single numbers.

        If this fails: reduce with `.mean()`, and return `LossTerms(total, {"name": part})`.
        """
        terms = built.forward(self.output(entry), self.batch(entry))
        assert isinstance(terms, LossTerms), f"gave {type(terms).__name__}"
        for name, value in {"total": terms.total, **terms.parts}.items():
            assert isinstance(value, torch.Tensor), f"{name} is a {type(value).__name__}, not a tensor"
            assert value.shape == (), f"{name} has shape {tuple(value.shape)}"

    def test_is_finite(self, built: Loss, entry: Component) -> None:
        """Total and parts are finite, also where ground truth is unknown (NaN in depth and flow).

        If this fails: leave NaN pixels out before any arithmetic: `known = ~target.isnan()`.
        """
        terms = built.forward(self.output(entry), self.batch(entry))
        for name, value in {"total": terms.total, **terms.parts}.items():
            assert bool(value.isfinite().all()), f"{name} is not finite: {value}"

    def test_gradient_reaches_the_output(self, built: Loss, entry: Component) -> None:
        """The total has a finite gradient, not zero everywhere, with respect to every kind it scores.

        If this fails: look for `.detach()`, `.item()` or rounding on the way; NaN · 0 is NaN: select, do not multiply.
        """
        output = {name: value.clone().requires_grad_() for name, value in self.output(entry).items()}
        total = built.forward(output, self.batch(entry)).total
        assert total.requires_grad, "the total does not depend on the output"
        kinds = sorted(entry.consumes)
        gradients = torch.autograd.grad(total.sum(), [output[kind] for kind in kinds], allow_unused=True)
        for kind, gradient in zip(kinds, gradients, strict=True):
            assert gradient is not None, f"no gradient reaches {kind}"
            assert bool(gradient.isfinite().all()), f"the gradient at {kind} is not finite"
            assert bool(gradient.any()), f"the gradient at {kind} is zero everywhere"

    def test_arguments_are_untouched(self, built: Loss, entry: Component) -> None:
        """Output and batch hold the same values after the call as before.

        If this fails: an in-place operation (`x.clamp_()`, `x -= …`) reaches an argument; use `x.clamp()`, `x - …`.
        """
        output, batch = self.output(entry), self.batch(entry)
        copies, before = {name: value.clone() for name, value in output.items()}, batch_arrays(batch)
        built.forward(output, batch)
        assert output.keys() == copies.keys(), "entries of the output came or went"
        touched = [name for name, value in output.items() if not torch.equal(value, copies[name])]
        touched += changed(before, batch_arrays(batch))
        assert not touched, f"changed: {', '.join(touched)}"

    def test_repeats_itself(self, built: Loss, entry: Component) -> None:
        """The same arguments give the same total.

        If this fails: nothing may be random or remembered in a loss; what must be random is seeded from the batch.
        """
        one, two = (built.forward(self.output(entry), self.batch(entry)).total for _ in range(2))
        assert torch.allclose(one, two, equal_nan=True), f"{float(one.sum()):g}, then {float(two.sum()):g}"

    def test_is_smallest_at_equality(self, built: Loss, entry: Component) -> None:
        """Where the output is the ground truth, the loss is smaller than near it.

        If this fails: a sign or a normalisation is wrong; or it makes no such claim: `zero_at_equality = False`.
        """
        if not self.zero_at_equality or Data.LABEL in entry.consumes:
            pytest.skip("makes no claim about equality, or judges scores of classes")
        batch = self.batch(entry)
        truth = {str(kind): batch.target[kind].nan_to_num(1.0) for kind in entry.consumes}
        least = float(built.forward({**self.output(entry), **truth}, batch).total)
        for step in (-0.05, 0.05):
            near = {kind: value + step for kind, value in truth.items()}
            other = float(built.forward({**self.output(entry), **near}, batch).total)
            assert least < other, f"{least:g} at the ground truth, {other:g} at a distance of {step:g}"
