"""A method with everything it needs, prepared once and used any number of times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from numbers import Real
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.data.kinds import Data
from spikecore.data.sample import Sample, Window
from spikecore.data.spikes import SpikeStream
from spikecore.errors import UsageError, shown
from spikecore.experiment.experiment import Experiment
from spikecore.experiment.run_config import RunConfig
from spikecore.plugin.bound import Bound
from spikecore.plugin.component import Component
from spikecore.plugin.host import PluginHost
from spikecore.plugin.interfaces import Model
from spikecore.runner.method import Method, ModelReconstructor, build_method
from spikecore.runner.picture import Array, to_picture, to_pictures
from spikecore.runner.stream import Progress, compute, moments, results


@attrs.frozen(eq=False)
class Pipeline:
    """A method with its weights, window and display, ready for any number of recordings.

    Args:
        method: What computes, and how it is run.
    """

    method: Method

    @property
    def component(self) -> Component:
        """What the method is."""
        return self.method.component

    @property
    def produces(self) -> Data:
        """The kind of result that `stream` gives."""
        return self.method.produces

    @property
    def window(self) -> Window:
        """What the method needs around an instant."""
        return self.method.window

    @property
    def run(self) -> RunConfig:
        """How it is run."""
        return self.method.run

    @property
    def weights(self) -> str:
        """sha256 of the trained weights in use, or ""."""
        return self.method.weights

    @property
    def model(self) -> Model | None:
        """The trained model behind it, None for other methods."""
        adapter = self.method.reconstructor
        return adapter.model if isinstance(adapter, ModelReconstructor) else None

    def image(self, stream: SpikeStream, at: float | None = None) -> NDArray[np.float32]:
        """One image, float32 (H, W) or (H, W, 3) in [0, 1]: spike rate × gain, as `run.display` says.

        Args:
            stream: The recording.
            at: Frame number of the instant; the middle frame by default.

        Raises:
            UsageError: If the method produces something else, or the instant has no window.
        """
        if not isinstance(stream, SpikeStream):
            raise UsageError(f"expected a SpikeStream, as spikecore.open gives, got {shown(stream)}")
        if self.produces is not Data.IMAGE:
            raise UsageError(f"{self.component.id} produces {self.produces}, not an image; use outputs or stream")
        return self.outputs(Sample(key=stream.name, spikes=stream), at)[Data.IMAGE]

    def outputs(self, sample: Sample, at: float | None = None, progress: Progress | None = None) -> dict[Data, Array]:
        """Every kind of result at one instant: pictures (H, W[, 3]), videos (D, H, W[, 3]), others as they are.

        Args:
            sample: The recording.
            at: The instant; `run.at`, or the sample's own, by default.
            progress: As for `stream`.
        """
        at, sample = self.run.at if at is None else at, self.seen(sample)
        if sample.frames is not None and self.produces is Data.VIDEO and self.run.tile_frames:
            frames = [value for _, value in results(sample, self.method, [0], progress)]
            return to_pictures({Data.VIDEO: np.stack(frames)}, sample, self.run)
        found = compute(self.method, [self.cut(sample, at)], progress)
        return to_pictures({kind: value[0] for kind, value in found.items()}, sample, self.run)

    def cut(self, sample: Sample, at: float | None = None) -> Sample:
        """What the method sees of a sample at an instant; at that of its ground truth by default."""
        return self.seen(sample).around(self.window, at)

    def seen(self, sample: Sample) -> Sample:
        """The sample with only those inputs that the method takes: the others say nothing about its instants."""
        takes = self.component.consumes
        inputs: dict[Data, tuple[str, Any]] = {
            Data.SPIKES: ("spikes", None),
            Data.EVENTS: ("events", ()),
            Data.FRAMES: ("frames", None),
        }
        unused: dict[str, Any] = dict(field for kind, field in inputs.items() if takes and kind not in takes)
        return attrs.evolve(sample, **unused) if unused else sample

    def instants(self, sample: Sample) -> Sequence[float]:
        """The instants that `stream` gives: `run.at`, or `run.start`..`run.stop` by `run.stride`, or all."""
        return moments(self.seen(sample), self.method)

    def stream(
        self, sample: Sample, instants: Sequence[float] | None = None, progress: Progress | None = None
    ) -> Iterator[tuple[float, Array]]:
        """(instant, picture) one by one, in constant memory for any length; closing the generator cancels the rest.

        Of a video the pictures come one by one: with the number of the camera frame where they are made from those.

        Args:
            sample: The recording.
            instants: In increasing order; those of `instants(sample)` by default.
            progress: Called with pieces done and pieces in all; giving False cancels.

        Raises:
            Interrupted: If `progress` cancels.
        """
        for at, pictures in self.instant_by_instant(sample, instants, progress):
            for picture in pictures:
                yield at, picture

    def instant_by_instant(
        self, sample: Sample, instants: Sequence[float] | None = None, progress: Progress | None = None
    ) -> Iterator[tuple[float, list[Array]]]:
        """As `stream`, the pictures of one instant together: one, or several of a video made from spikes."""
        sample = self.seen(sample)
        wanted = self.instants(sample) if instants is None else _increasing(instants)
        several = self.several(sample)
        for at, value in results(sample, self.method, wanted, progress):
            parts = value if several else [value]
            yield at, [to_picture(part, self.produces, sample, self.run) for part in parts]

    def several(self, sample: Sample) -> bool:
        """Whether each instant gives several pictures: a video that is not made from camera frames."""
        return self.produces is Data.VIDEO and self.seen(sample).frames is None


def _increasing(instants: Sequence[float]) -> Sequence[float]:
    """Instants that were asked for; a state goes through a recording forwards only."""
    if not isinstance(instants, Iterable) or not all(isinstance(at, Real) for at in instants):
        raise UsageError(f"expected a list of instants, got {shown(instants)}")
    if any(later < at for at, later in pairwise(instants)):
        raise UsageError(f"expected instants in increasing order, got {shown(instants)}")
    return instants


def prepared(host: PluginHost, bound: Bound, run: RunConfig) -> Pipeline:
    """The pipeline of a bound method."""
    return Pipeline(build_method(host, bound, run))


def prepared_experiment(experiment: Experiment) -> Pipeline:
    """The pipeline of an experiment's method.

    Raises:
        UsageError: If it has none.
    """
    if experiment.method is None:
        raise UsageError("nothing to prepare: the experiment has neither a reconstructor nor a model")
    return prepared(experiment.host, experiment.method, experiment.run)
