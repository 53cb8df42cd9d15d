"""The six interfaces, as Protocols: nothing needs to be inherited; `spikecore.testing` tests what they promise.

Every component is constructed as `Target(config)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import attrs

from spikecore.data.batch import Batch
from spikecore.data.sample import Sample, Window

if TYPE_CHECKING:
    import torch
    from torch import nn

    from spikecore.plugin.host import PluginHost
Output: TypeAlias = "Mapping[str, torch.Tensor]"
"""What a model gives: a tensor for each kind it produces ("image", "depth", …) and extras under names of its own."""


class SpikeSource(Protocol):
    """A sequence of samples: recordings, clips of a data set, or generated scenes.

    Promises: lazy (opening costs no reading), picklable, `IndexError` past the end, equal samples for equal indices.

    A source may also have: `labels`, the names of its classes in the order of their numbers, told to whatever has
    `set_labels(labels)`; `augment(sample, random)`, a training sample seen in another way, drawn from a NumPy
    Generator; `image(index, at)`, the exact image (H, W) at any instant.
    """

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __getitem__(self, index: int, /) -> Sample:
        """Sample number `index`, 0..len-1; raises IndexError past the end."""
        ...


class Reconstructor(Protocol):
    """Turns a batch into a tensor of the kind that its component produces, or into one for each of several kinds.

    Promises: the shapes of `spikecore.data.sample` for any height and width, images in intensity units (spikes per
    frame, unclipped, finite), items of a batch independent of each other, input untouched, result on the batch's
    device.

    It may have `session(stream)`, an `ImageSession`, where a video can be made faster than image by image.
    """

    @property
    def window(self) -> Window:
        """What it needs around an instant: spike frames, or microseconds of events."""
        ...

    def reconstruct(self, batch: Batch, /) -> torch.Tensor | Mapping[str, torch.Tensor]:
        """Reconstruct the instant `batch.at` of every item."""
        ...


class ImageSession(Protocol):
    """Images of one recording at instants in increasing order, on a CPU. Promises: equal to `reconstruct`."""

    def image(self, at: int, /) -> Any:
        """float32 (H, W)."""
        ...


class Session(Protocol):
    """A model on its way through one sample, from `Model.session(sample)`; may carry a state from instant to instant.

    Promises: instants come in increasing order; from the same start it gives the same numbers; the first result is that
    of `forward`.
    """

    def outputs(self, at: float, /) -> Output:
        """As `Model.forward` for the one item at that instant, on the model's device."""
        ...


@attrs.frozen
class Stage:
    """One stage of a training recipe; recipes are lists of these, as data.

    Args:
        name: Shown in logs and stored in checkpoints.
        steps: Optimiser steps, or None if `epochs` is given.
        epochs: Passes over the data, or None if `steps` is given.
        losses: Loss reference ("spikling/l2") to its weight.
        optimiser: Name and options, e.g. {"use": "adam", "lr": 2e-4}.
        schedule: Learning-rate schedule and options; empty for a constant rate.
        trains: Parameter name patterns to learning-rate multipliers; what matches none is frozen.
    """

    name: str
    steps: int | None = None
    epochs: int | None = None
    losses: Mapping[str, float] = attrs.field(factory=dict)
    optimiser: Mapping[str, Any] = attrs.field(factory=lambda: {"use": "adam", "lr": 1e-4})
    schedule: Mapping[str, Any] = attrs.field(factory=dict)
    trains: Mapping[str, float] = attrs.field(factory=lambda: {"*": 1.0})


class Model(Protocol):
    """A trainable method; also a `torch.nn.Module`.

    Promises: gradients reach every trainable parameter, no state leaks between calls, state_dict round trip.

    It may have `session(sample)`, a `Session`, which is used for several instants of a recording; `set_labels(labels)`,
    which is told the names of the source's classes; and `wants_bank = True` if it is trained on `Batch.bank` too.
    """

    @property
    def window(self) -> Window:
        """The spike frames it needs around an instant."""
        ...

    @property
    def network(self) -> nn.Module:
        """The bare network, whose state_dict has the keys of the original project."""
        ...

    def forward(self, batch: Batch, /) -> Output:
        """One tensor for each kind the component produces, and extras."""
        ...

    def stages(self) -> Sequence[Stage]:
        """The method's own training recipe."""
        ...

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """As `torch.nn.Module.parameters`."""
        ...

    def to(self, device: Any, /) -> Model:
        """As `torch.nn.Module.to`."""
        ...

    def eval(self) -> Model:
        """As `torch.nn.Module.eval`."""
        ...


@attrs.frozen
class LossTerms:
    """A loss and what it is made of.

    Args:
        total: Scalar tensor to differentiate.
        parts: Unweighted scalar parts by name, for logs.
    """

    total: torch.Tensor
    parts: Mapping[str, torch.Tensor] = attrs.field(factory=dict)


class Loss(Protocol):
    """Judges an output against a batch, differentiably. Promises: scalar, finite, does not change its arguments.

    It may have `set_labels(labels)`, and `wants_bank = True` if it needs `Batch.bank`.
    """

    def forward(self, output: Output, batch: Batch, /) -> LossTerms:
        """The loss of one batch."""
        ...


class Metric(Protocol):
    """Accumulates a score; `torchmetrics.Metric` fits. Promises: two batches give the same as both in one."""

    @property
    def higher_is_better(self) -> bool | None:
        """Whether larger is better; None if neither is."""
        ...

    def update(self, preds: torch.Tensor, target: torch.Tensor, /) -> None:
        """Take in one batch; reference-free metrics ignore `target`."""
        ...

    def compute(self) -> torch.Tensor:
        """The score of everything since the last reset, a scalar tensor."""
        ...

    def reset(self) -> None:
        """Forget everything."""
        ...


@attrs.frozen(eq=False, kw_only=True)
class TrainRun:
    """Everything a trainer needs.

    Args:
        model: What is trained.
        source: Training samples.
        validation: Samples for scores, or None.
        bank: A second source whose samples belong to none of the first, or None; see `Batch.bank`.
        losses: Losses by the reference used in the stages.
        metrics: Metrics by id.
        stages: The recipe, in order.
        directory: Where checkpoints and logs go.
        seed: Seeds everything random.
        resume: "auto" goes on from the newest checkpoint in `directory`, "never" refuses a directory with one.
        host: For observers.
        recipe: The resolved experiment.
    """

    model: Model
    source: SpikeSource
    validation: SpikeSource | None = None
    bank: SpikeSource | None = None
    losses: Mapping[str, Loss] = attrs.field(factory=dict)
    metrics: Mapping[str, Metric] = attrs.field(factory=dict)
    stages: Sequence[Stage] = ()
    directory: Path
    seed: int = 0
    resume: Literal["auto", "never"] = "never"
    host: PluginHost
    recipe: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class TrainResult:
    """What a finished training gives.

    Args:
        steps: Optimiser steps taken in all stages.
        losses: Total loss of each step, in order.
        scores: Last validation scores by metric id.
        checkpoint: The newest checkpoint.
    """

    steps: int
    losses: Sequence[float] = ()
    scores: Mapping[str, float] = attrs.field(factory=dict)
    checkpoint: Path | None = None


class Trainer(Protocol):
    """Runs the stages of a recipe.

    Promises: the loss falls on an easy task, same seed gives the same numbers, kill and resume lose at most one
    checkpoint interval.
    """

    def fit(self, run: TrainRun, /) -> TrainResult:
        """Train `run.model` in place."""
        ...
