"""What every metric promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pytest
import torch

from spikecore.data.kinds import Data
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.host import PluginHost
from spikecore.plugin.interfaces import Metric
from spikecore.testing import data
from spikecore.testing.contract import ComponentContract

Scored: TypeAlias = tuple[torch.Tensor, torch.Tensor]
Score: TypeAlias = Callable[[Sequence[Scored]], float]


class MetricContract(ComponentContract):
    """Tests for a metric of one kind of output.

    Attributes:
        perfect: The score of a perfect prediction, for example `math.inf` for PSNR; None if there is none.
        size: Height and width of pictures; enlarge it for metrics of several scales.
        channels: Channels of images.
        frames: Frames of videos.
        classes: Number of classes of labels.
        tolerance: Relative rounding allowed between two ways of computing the same score.
    """

    kind: ClassVar[Kind] = Kind.METRIC
    perfect: ClassVar[float | None] = None
    size: ClassVar[data.Size] = (13, 17)
    channels: ClassVar[int] = 1
    frames: ClassVar[int] = 3
    classes: ClassVar[int] = 10
    tolerance: ClassVar[float] = 1e-5

    def truth(self, entry: Component, items: int, seed: int) -> torch.Tensor:
        """Ground truth of `items` items, (N, …)."""
        (kind,) = entry.consumes
        seeds = range(100 * seed, 100 * seed + items)
        made = [data.picture(kind, self.size, one, frames=self.frames, classes=self.classes) for one in seeds]
        values = torch.from_numpy(np.stack(made))
        return values.expand(-1, self.channels, -1, -1).clone() if kind is Data.IMAGE else values

    def guess(self, entry: Component, truth: torch.Tensor, error: float, seed: int = 0) -> torch.Tensor:
        """A prediction that is off by about `error`; exact for 0."""
        random = torch.Generator().manual_seed(seed)
        if truth.dtype == torch.int64:
            scores = torch.nn.functional.one_hot(truth, self.classes).float()
            return scores + 10 * error * torch.rand(scores.shape, generator=random)
        noise = error * torch.randn(truth.shape, generator=random)
        exact = truth.nan_to_num(1.0)
        return (exact + noise).clamp(0, 1) if entry.consumes == {Data.IMAGE} else exact + noise

    def scored(self, entry: Component, items: int, error: float, seed: int) -> Scored:
        """Predictions and ground truth of one batch."""
        truth = self.truth(entry, items, seed)
        return self.guess(entry, truth, error, seed), truth

    @pytest.fixture
    def score(self, host: PluginHost, entry: Component, settings: Mapping[str, Any]) -> Score:
        """Gives the score that a new metric has after these batches."""
        return lambda batches: _score(host.build(entry, settings), batches)

    @pytest.fixture
    def batches(self, entry: Component) -> list[Scored]:
        """A batch of one item with large errors, and one of three items with small ones."""
        return [self.scored(entry, 1, error=0.4, seed=1), self.scored(entry, 3, error=0.05, seed=2)]

    def test_score_is_a_scalar(self, built: Metric, batches: list[Scored]) -> None:
        """`compute()` gives one finite number as a tensor.

        If this fails: return `torch.tensor(total / items)`; report parts as metrics of their own.
        """
        built.update(*batches[0])
        score = built.compute()
        assert isinstance(score, torch.Tensor), f"the score is a {type(score).__name__}, not a tensor"
        assert score.shape == (), f"the score has shape {tuple(score.shape)}"
        assert bool(score.isfinite()), f"the score is {float(score)}"

    def test_says_which_way_is_better(self, built: Metric) -> None:
        """`higher_is_better` is True, False, or None if neither is.

        If this fails: add `higher_is_better = True` to the class.
        """
        assert getattr(built, "higher_is_better", "missing") in (True, False, None)

    def test_two_batches_are_one(self, score: Score, batches: list[Scored]) -> None:
        """Batches of one and of three items give the score of all four in one batch.

        If this fails: sum over items and divide by their number at the end; do not average averages.
        """
        (preds, target), (more_preds, more_target) = batches
        whole = score([(torch.cat([preds, more_preds]), torch.cat([target, more_target]))])
        assert score(batches) == pytest.approx(whole, rel=self.tolerance), "batches of 1 and 3 differ from one of 4"

    def test_order_does_not_matter(self, score: Score, batches: list[Scored]) -> None:
        """The order of batches makes no difference.

        If this fails: nothing may depend on which batch came first or last.
        """
        assert score(batches[::-1]) == pytest.approx(score(batches), rel=self.tolerance), "the reverse order differs"

    def test_reset_forgets(self, built: Metric, score: Score, batches: list[Scored]) -> None:
        """After `reset()` the score is that of a new metric.

        If this fails: `reset` must set everything that `update` changes; let `__init__` call it.
        """
        _score(built, batches[:1])
        built.reset()
        assert _score(built, batches[1:]) == pytest.approx(score(batches[1:]), rel=self.tolerance), "something is left"

    def test_compute_changes_nothing(self, built: Metric, score: Score, batches: list[Scored]) -> None:
        """`compute()` can be called in between without an effect on later scores.

        If this fails: `compute` must neither reset nor divide the sums in place.
        """
        _score(built, batches[:1])
        whole = score(batches)
        assert _score(built, batches[1:]) == pytest.approx(whole, rel=self.tolerance), "asking changed the score"

    def test_arguments_are_untouched(self, built: Metric, batches: list[Scored]) -> None:
        """Predictions and ground truth hold the same values after the call as before.

        If this fails: use `x.clamp()`, not `x.clamp_()`.
        """
        for preds, target in batches:
            copies = preds.clone(), target.clone()
            built.update(preds, target)
            assert torch.equal(preds, copies[0]), "the predictions were changed"
            assert torch.equal(target.nan_to_num(-1.0), copies[1].nan_to_num(-1.0)), "the ground truth was changed"

    def test_perfect_prediction_is_best(self, entry: Component, built: Metric, score: Score) -> None:
        """A perfect prediction scores `perfect`, and the score gets worse with the error, in the stated direction.

        If this fails: see the sign of `higher_is_better`, and constants that keep the optimum from being reached.
        """
        if self.perfect is None:
            pytest.skip("has no perfect score")
        truth = self.truth(entry, 3, seed=3)
        scores = [score([(self.guess(entry, truth, error), truth)]) for error in (0.0, 0.05, 0.4)]
        best = scores[0]
        assert best == pytest.approx(self.perfect, rel=self.tolerance, abs=1e-6), f"perfection scores {best:g}"
        assert built.higher_is_better is not None, "there is a perfect score, but neither way is better"
        right = sorted(scores, reverse=built.higher_is_better)
        assert scores == right, f"{scores} for errors of 0, 0.05 and 0.4, but higher_is_better={built.higher_is_better}"
        assert scores[-1] != best, f"any prediction scores {best:g}"


def _score(metric: Metric, batches: Sequence[Scored]) -> float:
    for preds, target in batches:
        metric.update(preds.clone(), target.clone())
    return float(metric.compute())
