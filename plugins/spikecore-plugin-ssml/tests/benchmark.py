"""How fast the networks are at 250×400, beside variant A as it is: eager, float32, rows by rows.

python benchmark.py [--variants a e] [--threads 1] [--shared FOLDER]

Every line is the best of a few runs, taken in turns with the reference, as a ratio to it. With the shared data
(SPIKECORE_SHARED) the PSNR of A's real weights on a clip says what lower precision costs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from spikecore_plugin_ssml.config import Variant
from spikecore_plugin_ssml.guard import factors, thinned
from spikecore_plugin_ssml.variants import build_branch

import spikecore as sc

SIZE = (250, 400)
FACTOR = 1 / 0.6  # of REDS-type recordings
Run = Callable[[], torch.Tensor]


def scene(shared: Path | None) -> tuple[torch.Tensor, np.ndarray | None]:
    """41 frames (1, 41, H, W) and the true picture, where there is one."""
    if shared is None:
        return (torch.rand((1, 41, *SIZE), generator=torch.Generator().manual_seed(0)) < 0.15).float(), None
    sample = sc.open_source(shared / "data" / "base" / "train", height=SIZE[0], width=SIZE[1])[0]
    return torch.from_numpy(sample.spikes[130:171].unpack()).float()[None], sample.target["image"][0]


def ways(network: torch.nn.Module, spikes: torch.Tensor) -> dict[str, Run]:
    """The same network in several layouts and precisions."""
    lasting = spikes.contiguous(memory_format=torch.channels_last)

    def halved(x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result: torch.Tensor = network(x)
        return result.float()

    return {
        "float32, channels first": lambda: network(spikes),
        "float32, channels last": lambda: network(lasting),
        "bfloat16, channels first": lambda: halved(spikes),
        "bfloat16, channels last": lambda: halved(lasting),
    }


@torch.inference_mode()
def measure(runs: dict[str, Run], repeats: int) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    """Best seconds and results, all ways taken in turns so that a busy machine slows all alike."""
    results = {name: run() for name, run in runs.items()}
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(repeats):
        for name, run in runs.items():
            start = perf_counter()
            run()
            best[name] = min(best[name], perf_counter() - start)
    return best, results


def psnr(image: torch.Tensor, truth: np.ndarray) -> float:
    """dB of an image in spikes per frame."""
    shown = np.clip(image[0, 0].numpy() * FACTOR, 0, 1)
    return float(-10 * np.log10(np.mean((shown - truth) ** 2)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--variants", nargs="+", default=["a", "e"], choices=[variant.value for variant in Variant])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--shared", default=os.environ.get("SPIKECORE_SHARED"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    spikes, truth = scene(Path(options.shared) if options.shared else None)
    scale = 1
    runs: dict[str, Run] = {}
    for name in dict.fromkeys(["a", *options.variants]):
        network = build_branch(Variant(name), "nbsn").eval()
        own = spikes
        if name == "a" and options.shared:
            path = Path(options.shared) / "weights" / "nbsn_83000_simple.pth"
            network.load_state_dict(torch.load(path, weights_only=True))
            scale = int(factors(spikes, 0.2))
            own = thinned(spikes[0], scale)[None]
        runs |= {f"{name}: {way}": run for way, run in ways(network, own).items()}
    best, results = measure(runs, options.repeats)
    reference = best["a: float32, channels first"]
    for name, seconds in best.items():
        score = f"  {psnr(scale * results[name], truth):7.3f} dB" if truth is not None and name[0] == "a" else ""
        print(f"{name:30} {seconds * 1000:8.0f} ms  {reference / seconds:5.2f}×{score}")


if __name__ == "__main__":
    main()
