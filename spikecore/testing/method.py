"""What reconstructors and models have in common: they turn batches into tensors of the kinds they produce."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import pytest
import torch

from spikecore.data.batch import Batch, collate
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample, Window
from spikecore.plugin.component import Component
from spikecore.testing import data
from spikecore.testing.checks import batch_arrays, changed, copied, difference, shape_fault
from spikecore.testing.contract import ComponentContract

Results: TypeAlias = Mapping[Data, torch.Tensor]
Run: TypeAlias = Callable[[Batch], Results]


class MethodContract(ComponentContract):
    """Tests that reconstructors and models share; subclass `ReconstructorContract` or `ModelContract`.

    Attributes:
        sizes: Heights and widths of pictures; the first is used throughout, the others for the shape alone.
        length: Spike frames of a recording, where its window is the whole recording.
        cameras: Event cameras it needs.
        frames: Frames of the camera videos it needs.
        tolerance: Rounding allowed between two ways of computing the same thing.
    """

    sizes: ClassVar[Sequence[data.Size]] = ((13, 17), (11, 23))
    length: ClassVar[int] = 32
    cameras: ClassVar[int] = 1
    frames: ClassVar[int] = 3
    tolerance: ClassVar[float] = 1e-5

    def sample(
        self, built: Any, entry: Component, *, rate: float = 0.3, seed: int = 0, size: data.Size | None = None
    ) -> Sample:
        """A random sample that carries what it consumes; override this where it needs more than the kit knows of."""
        shape = data.Shape(size or self.sizes[0], self.length, self.cameras, self.frames)
        return data.sample(entry.consumes, shape, rate=rate, window=built.window, seed=seed)

    def batch(self, *samples: Sample, device: str = "cpu") -> Batch:
        """Copies of the samples side by side on a device."""
        return collate([copied(sample) for sample in samples]).to(device)

    @pytest.fixture
    def run(self, built: Any, entry: Component) -> Run:
        """Calls the component on a batch; gives its tensors by the kind they are of."""
        raise NotImplementedError  # both contracts say how their components are called

    @pytest.fixture
    def pair(self, built: Any, entry: Component) -> tuple[Sample, Sample]:
        """A dim and a bright sample."""
        return self.sample(built, entry, rate=0.05, seed=1), self.sample(built, entry, rate=0.9, seed=2)

    def test_declares_its_window(self, built: Any) -> None:
        """`window` is a `spikecore.Window`: which spike frames around an instant it needs.

        If this fails: set `self.window = Window.centred(config.window)`, or `Window()` for the whole recording.
        """
        assert isinstance(built.window, Window), f"window is {built.window!r}"

    def test_gives_the_declared_shapes(self, built: Any, entry: Component, run: Run) -> None:
        """For every kind it produces there is a tensor of the shape in `spikecore.data.sample`, also for odd sizes.

        If this fails: see `produces=(…)` of the `Component`; pad inside where sizes must be multiples, and crop after.
        """
        assert entry.produces, f"{entry.id} does not say what it produces"
        for size in self.sizes:
            with torch.no_grad():
                results = run(self.batch(*(self.sample(built, entry, seed=seed, size=size) for seed in range(2))))
            for kind in entry.produces:
                assert kind in results, f"no result of kind {kind}, only {', '.join(results)}"
                fault = shape_fault(kind, tuple(results[kind].shape), 2, size)
                assert not fault, f"for pictures of {size[0]}x{size[1]}, {fault}"

    def test_gives_finite_float32(self, pair: tuple[Sample, Sample], run: Run) -> None:
        """Results are float32, without NaN or infinity.

        If this fails: end with `.float()`; see what is divided by.
        """
        with torch.no_grad():
            results = run(self.batch(*pair))
        for kind, value in results.items():
            assert value.dtype == torch.float32, f"{kind} is {value.dtype}"
            assert bool(value.isfinite().all()), f"{kind} holds NaN or infinity"

    def test_dark_and_bright_are_finite(self, built: Any, entry: Component, run: Run) -> None:
        """Recordings without any spike, and with a spike everywhere, give finite results.

        If this fails: something is divided by a count, a maximum or a variance that can be 0.
        """
        for rate in (0.0, 1.0):
            with torch.no_grad():
                results = run(self.batch(self.sample(built, entry, rate=rate)))
            for kind, value in results.items():
                assert bool(value.isfinite().all()), f"{kind} of a recording of rate {rate:g} is not finite"

    def test_items_are_independent(self, pair: tuple[Sample, Sample], run: Run) -> None:
        """An item's result is the same in a batch and alone.

        If this fails: a mean, maximum or normalisation runs over the batch dimension.
        """
        with torch.no_grad():
            together = run(self.batch(*pair))
            alone = [run(self.batch(one)) for one in pair]
        for kind, value in together.items():
            for number, own in enumerate(alone):
                apart = difference(value[number], own[kind][0])
                assert apart <= self.tolerance, f"{kind} of item {number} differs by {apart:g} when computed alone"

    def test_input_is_untouched(self, pair: tuple[Sample, Sample], run: Run) -> None:
        """The batch holds the same values after the call as before.

        If this fails: an in-place operation (`x.mul_()`, `x += …`, `x[…] = …`) reaches the input; copy first.
        """
        batch = self.batch(*pair)
        before = batch_arrays(batch)
        with torch.no_grad():
            run(batch)
        assert not (names := changed(before, batch_arrays(batch))), f"changed: {', '.join(names)}"

    def test_two_calls_give_the_same(self, pair: tuple[Sample, Sample], run: Run) -> None:
        """Nothing is remembered from call to call, and nothing is random.

        If this fails: reset membrane potentials and other state at the start of each call; seed what is random.
        """
        with torch.no_grad():
            one, two = run(self.batch(*pair)), run(self.batch(*pair))
        for kind in one:
            apart = difference(one[kind], two[kind])
            assert apart <= self.tolerance, f"{kind} of the second call differs by {apart:g}"

    def test_runs_in_inference_mode(self, pair: tuple[Sample, Sample], run: Run) -> None:
        """It runs under `torch.inference_mode()`, as the runner calls it.

        If this fails: no gradients are to be had there; ask for them only in training.
        """
        with torch.inference_mode():
            run(self.batch(*pair))

    @pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
    def test_stays_on_the_batch_device(self, built: Any, pair: tuple[Sample, Sample], run: Run, device: str) -> None:
        """The result is on the device of the batch.

        If this fails: make new tensors with `device=batch.spikes.device`, never on a device of its own choice.
        """
        if device == "cuda" and not torch.cuda.is_available():
            pytest.skip("no CUDA device")
        if isinstance(built, torch.nn.Module):
            built.to(device)
        with torch.no_grad():
            results = run(self.batch(*pair, device=device))
        for kind, value in results.items():
            assert value.device.type == device, f"{kind} is on {value.device}, the batch on {device}"
