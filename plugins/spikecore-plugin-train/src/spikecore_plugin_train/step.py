"""One optimiser step: micro-batches forwards and backwards, gradients of all processes added up, checked, applied."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from spikecore import Batch, Loss, Output, Precision, SpikecoreError, Stage, UsageError
from spikecore_plugin_train.bank import wants_bank
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.group import Group

_SMALLEST_SCALE = 2.0**-20  # loss scaling halves its factor while gradients overflow; below this they always will


class Diverged(SpikecoreError):
    """The loss or a gradient is not a finite number; the step was not taken."""


class Stepper:
    """Takes optimiser steps of one model.

    Args:
        model: What is trained, on the group's device.
        losses: By reference.
        config: Precision and clipping.
        group: The processes that train together.
    """

    def __init__(self, model: Any, losses: Mapping[str, Loss], config: LoopConfig, group: Group) -> None:
        self.model, self.config, self.group = model, config, group
        self.losses: dict[str, Any] = {name: _moved(loss, group.device) for name, loss in losses.items()}
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=config.precision is Precision.FLOAT16)
        self._buffers = [value for value in model.buffers() if value.is_floating_point()]

    def take(
        self,
        stage: Stage,
        optimiser: torch.optim.Optimizer,
        micros: Iterable[tuple[Batch, float]],
        where: str,
        stop: bool = False,
    ) -> dict[str, float]:
        """One step; returns what is logged: loss, its parts (of this process), norm of the gradient, and stop.

        Args:
            stage: Whose losses count.
            optimiser: With learning rates set.
            micros: Batches, each with its share of the whole batch's samples.
            where: Stage and step, for messages.
            stop: This process was asked to stop; the result says whether any was.

        Raises:
            Diverged: With step, stage, parts of the loss and keys of the batch.
        """
        optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.group.device)
        parts: dict[str, torch.Tensor] = {}
        keys: list[str] = []
        for batch, share in micros:
            loss, named = self.judge(batch.to(self.group.device), stage)
            if not loss.requires_grad:
                raise UsageError(f"{where}: the loss does not depend on any parameter that trains")
            torch.autograd.backward(self.scaler.scale(loss * share))
            total += share * loss.detach()
            for name, value in named.items():
                parts[name] = parts.get(name, 0.0) + share * value.detach()
            keys += batch.keys
        if not keys:
            self.scaler.scale(total)  # else it would not be ready for the gradients of the other processes
        trained = [one for group in optimiser.param_groups for one in group["params"] if one.requires_grad]
        values = self._reduce(optimiser, trained, total, stop)
        self._refuse_infinite(values, parts, trained, keys, where)
        if self.config.clip:
            clip_grads_with_norm_(trained, self.config.clip, torch.tensor(values["norm"]))
        self._apply(optimiser, values)
        return values | {name: float(value) for name, value in parts.items()}

    def judge(self, batch: Batch, stage: Stage) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The weighted sum of a stage's losses of one batch, and each of them, unweighted, with its parts."""
        alone = attrs.evolve(batch, bank=None)
        output = self.forward(batch if wants_bank(self.model) else alone)
        total = torch.zeros((), device=self.group.device)
        named: dict[str, torch.Tensor] = {}
        for reference, weight in stage.losses.items():
            loss = self.losses[reference]
            terms = loss.forward(output, batch if wants_bank(loss) else alone)
            total = total + weight * terms.total
            named[reference] = terms.total
            if len(terms.parts) > 1:
                named |= {f"{reference}:{name}": value for name, value in terms.parts.items()}
        return total, named

    def forward(self, batch: Batch) -> Output:
        """The model's output in the chosen precision, as float32."""
        reduced = self.config.precision is not Precision.FLOAT32
        dtype = getattr(torch, self.config.precision) if reduced else None
        with torch.autocast(self.group.device.type, dtype=dtype, enabled=reduced):
            output: Output = self.model(batch)
        if not reduced:
            return output
        return {name: value.float() if value.is_floating_point() else value for name, value in output.items()}

    def _reduce(
        self, optimiser: torch.optim.Optimizer, trained: Sequence[Any], total: torch.Tensor, stop: bool
    ) -> dict[str, float]:
        self.group.sum_gradients(trained)
        report = self.group.sum(torch.stack([total, total.new_tensor(float(stop))]))
        if self.scaler.is_enabled() and any(one.grad is not None for one in trained):
            self.scaler.unscale_(optimiser)
        norm = get_total_norm([one.grad for one in trained if one.grad is not None])
        loss, stops, length = torch.cat([report, norm.reshape(1).to(report)]).tolist()  # waits for the device once
        return {"loss": loss, "norm": length, "stop": stops}

    def _apply(self, optimiser: torch.optim.Optimizer, values: dict[str, float]) -> None:
        self.scaler.step(optimiser)
        self.scaler.update()
        if self.scaler.is_enabled():
            values["scale"] = self.scaler.get_scale()
        self.group.spread(self._buffers)

    def _refuse_infinite(
        self,
        values: Mapping[str, float],
        parts: Mapping[str, torch.Tensor],
        trained: Sequence[torch.Tensor],
        keys: Sequence[str],
        where: str,
    ) -> None:
        scaled = self.scaler.is_enabled()
        overflow = scaled and self.scaler.get_scale() > _SMALLEST_SCALE
        if math.isfinite(values["loss"]) and (math.isfinite(values["norm"]) or overflow):
            return
        who = f" (process {self.group.rank} of {self.group.size})" if self.group.size > 1 else ""
        listed = ", ".join(f"{name} = {float(value):g}" for name, value in parts.items()) or "no part here"
        what = f"the loss is {values['loss']:g}"
        if math.isfinite(values["loss"]):
            broken = sum(one.grad is not None and not bool(one.grad.isfinite().all()) for one in trained)
            what = f"the gradient of {broken} of {len(trained)} parameters is not finite"
        raise Diverged(
            f"{where}{who}: {what}: {listed}; batch of {', '.join(keys) or 'no samples here'}. The step was not taken\n"
            "  try: a smaller learning rate, clip = 1.0, or go on from the last checkpoint without these samples"
        )


def _moved(loss: Any, device: torch.device) -> Any:
    return loss.to(device) if isinstance(loss, torch.nn.Module) else loss
