"""Pseudo-labels: noisy images computed from the spikes themselves, in spikes per frame, on the spikes' device."""

from __future__ import annotations

import torch

from spikecore import UsageError

TFI_WINDOW = 12
TFP_LENGTH = 7


def tfi_label(spikes: torch.Tensor, centre: int | None = None, window: int = TFI_WINDOW) -> torch.Tensor:
    """1 / (R - L), the reciprocal of the inter-spike interval around frame `centre`.

    L is the last spike in frames centre-window+1 … centre, else centre-window; R the first in centre+1 …
    centre+window, else centre+window. As in the official code a spike in frame 0 counts as none for L, and frames
    outside the tensor hold none. NaN in a pixel gives NaN.

    Args:
        spikes: (N, T, H, W) in {0, 1}.
        centre: Frame 0..T-1; T // 2 by default.
        window: Frames looked at on each side.

    Returns:
        float32 (N, 1, H, W), 1/(2·window) … 1.
    """
    middle = _centre(spikes, centre)
    first, stop = max(middle - window + 1, 1), min(middle + window + 1, spikes.shape[1])
    before, after = spikes[:, first : middle + 1], spikes[:, middle + 1 : stop]
    back = window - _nearness(before, range(window - (middle - first), window + 1))
    ahead = window - _nearness(after, range(window - 1, window - 1 - after.shape[1], -1))
    return _poisoned(1.0 / (back + ahead), spikes[:, first:stop])


def tfp_label(spikes: torch.Tensor, centre: int | None = None, length: int = TFP_LENGTH) -> torch.Tensor:
    """Mean of the `length` frames around frame `centre`: float32 (N, 1, H, W) from (N, T, H, W).

    Raises:
        UsageError: If `length` is even or reaches outside the tensor.
    """
    middle, half = _centre(spikes, centre), length // 2
    if length % 2 == 0 or middle < half or middle + half >= spikes.shape[1]:
        raise UsageError(f"a mean of {length} frames around frame {middle} of {spikes.shape[1]} has no such frames")
    return spikes[:, middle - half : middle + half + 1].float().mean(1, keepdim=True)


def _centre(spikes: torch.Tensor, centre: int | None) -> int:
    if spikes.ndim != 4:
        raise UsageError(f"spikes have shape {tuple(spikes.shape)}, expected (N, T, H, W)")
    middle = spikes.shape[1] // 2 if centre is None else centre
    if not 0 <= middle < spikes.shape[1]:
        raise UsageError(f"frame {middle} is not among frames 0..{spikes.shape[1] - 1}")
    return middle


def _nearness(frames: torch.Tensor, weights: range) -> torch.Tensor:
    """The largest weight of a frame that holds a spike, 0 without any: float32 (N, 1, H, W)."""
    if not frames.shape[1]:
        return torch.zeros_like(frames[:, :0].sum(1, keepdim=True), dtype=torch.float32)
    scale = torch.tensor(list(weights), dtype=torch.float32, device=frames.device).view(1, -1, 1, 1)
    return ((frames > 0).float() * scale).amax(1, keepdim=True)


def _poisoned(label: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    return torch.where(frames.isnan().any(1, keepdim=True), torch.nan, label)
