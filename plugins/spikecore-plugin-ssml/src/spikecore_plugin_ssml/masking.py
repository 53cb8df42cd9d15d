"""Hiding random pixels of the input (experimental): the pretext task that needs no blind network.

After Krull et al., Noise2Void, CVPR 2019: a hidden pixel shows the spikes of a random neighbour instead of its own, and
the loss counts hidden pixels only.
"""

from __future__ import annotations

import torch

_REACH = 2  # rows and columns that the neighbour lies away at most


def masked(spikes: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Spikes (N, T, H, W) with about `share` of the pixels replaced, and the mask, bool (N, 1, H, W).

    Drawn with torch's own generator.
    """
    items, _, height, width = spikes.shape
    mask = torch.rand((items, height, width), device=spikes.device) < share
    item, row, column = torch.nonzero(mask, as_tuple=True)
    step = torch.randint(1, (2 * _REACH + 1) ** 2, (len(item),), device=spikes.device)
    centre = _REACH * (2 * _REACH + 1) + _REACH
    place = (step + centre) % (2 * _REACH + 1) ** 2  # never the centre itself
    rows = (row + place // (2 * _REACH + 1) - _REACH) % height
    columns = (column + place % (2 * _REACH + 1) - _REACH) % width
    hidden = spikes.clone()
    hidden[item, :, row, column] = spikes[item, :, rows, columns]
    return hidden, mask[:, None]
