"""The processes that train together: one, or several that torchrun or a platform started (RANK, WORLD_SIZE)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

import attrs
import torch
import torch.distributed as dist
import torch.distributed.nn.functional

from spikecore import UsageError, check_device


@attrs.frozen
class Group:
    """This process among all that train together.

    Args:
        rank: Number of this process; process 0 writes everything.
        size: Number of processes.
        device: Where this process computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """True for the process that writes."""
        return self.rank == 0

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def spread(self, tensors: Sequence[torch.Tensor]) -> None:
        """Give every process the values of process 0."""
        if self.size > 1:
            for tensor in tensors:
                held = tensor.detach().contiguous()
                dist.broadcast(held, 0)
                tensor.detach().copy_(held)

    def gather(self, tensors: Mapping[str, torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        """The tensors of every process (equal shapes), by rank; each in memory of its own."""
        if self.size == 1:
            return [{name: tensor.clone() for name, tensor in tensors.items()}]
        gathered: list[dict[str, torch.Tensor]] = [{} for _ in range(self.size)]
        for name, tensor in tensors.items():
            pieces = [torch.empty_like(tensor) for _ in range(self.size)]
            dist.all_gather(pieces, tensor.contiguous())
            for rank, piece in enumerate(pieces):
                gathered[rank][name] = piece.clone()
        return gathered

    def sum_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Add up the gradients of all processes in one message; a parameter that no process used keeps none."""
        if self.size == 1:
            return
        held = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        used = [torch.tensor([p.grad is not None for p in parameters], dtype=torch.float32, device=self.device)]
        flat = self.sum(torch.cat([*(gradient.reshape(-1).float() for gradient in held), *used]))
        *pieces, counts = torch.split(flat, [*(gradient.numel() for gradient in held), len(parameters)])
        for parameter, piece, count in zip(parameters, pieces, counts.tolist(), strict=True):
            parameter.grad = piece.view_as(parameter).to(parameter.dtype) if count else None


@contextmanager
def joined(device: str, timeout: int) -> Iterator[Group]:
    """The group this process belongs to, set up from the environment and left again.

    Args:
        device: As the option of the trainer: cpu, cuda, cuda:N or auto.
        timeout: Seconds after which a process that waits for another gives up.

    Raises:
        UsageError: If the environment says half of what is needed, or the device is not there.
    """
    present = [name for name in ("RANK", "WORLD_SIZE") if name in os.environ]
    if len(present) == 1 and not dist.is_initialized():
        raise UsageError(f"{present[0]} is set without the other of RANK and WORLD_SIZE\n  try: spikecore launch")
    alone = not dist.is_initialized() and int(os.environ.get("WORLD_SIZE", "1")) == 1
    if alone:
        yield Group(0, 1, _device(device, 0))
        return
    rank = dist.get_rank() if dist.is_initialized() else int(os.environ["RANK"])
    own = _device(device, int(os.environ.get("LOCAL_RANK", str(rank))))
    if dist.is_initialized():
        yield Group(dist.get_rank(), dist.get_world_size(), own)
        return
    # Modules that optimisers import on first use take the group of that moment for the default of an argument. Those
    # that are imported above, before there is one, do not keep it alive: its threads end here, not as Python exits.
    backend = "cpu:gloo,cuda:nccl" if own.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=timedelta(seconds=timeout))
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), own)
    finally:
        dist.destroy_process_group()


def _device(name: str, local: int) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        name = f"cuda:{local % max(torch.cuda.device_count(), 1)}"
    check_device(name)
    device = torch.device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device
