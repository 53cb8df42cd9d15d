"""Times against the plain ways of the original: python tests/benchmark.py. Prints ratios; no test, as times vary.

The Semi-UNet in float32 as PyTorch runs it, and loops over pixels in Python, measured in the same run. Times are those
of the processor, so that other programs on the machine count little.
"""

from __future__ import annotations

from time import process_time

import numpy as np
import torch
from spikecore_plugin_spikling.compat import Generator, denoising, generate, smoothing
from test_curves import naive
from test_filters import naive_denoising

import spikecore as sc

SIZE = (250, 400)
ROWS = 5  # rows of the picture that the slow loops do; their time is scaled up


def best(action, times=5):
    """Seconds of the fastest of a few calls, after one that is not counted."""
    action()
    spent = []
    for _ in range(times):
        start = process_time()
        action()
        spent.append(process_time() - start)
    return min(spent)


def report(name, ours, theirs):
    print(f"{name:<34}{1e3 * theirs:>10.1f} ms -> {1e3 * ours:>8.2f} ms {theirs / ours:>9.1f}x")


def psnr(one, other):
    return -10 * np.log10(np.mean((np.float64(one) - other) ** 2))


def networks(clip):
    """The plain network and ours, as pictures and as the component, with the PSNR of each against the truth."""
    torch.set_num_threads(1)
    scene, truth = clip.spikes, clip.target["image"][0]
    start = clip.at - 16
    network = Generator().load()
    frames = torch.from_numpy(scene.unpack(start, start + 32))[None].float()
    padded = torch.nn.functional.pad(frames, (0, 0, 1, 1))

    def plain():
        with torch.inference_mode():
            return (network(2 * padded - 1)[0, 0, 1:-1].numpy() * 128 + 127) / 255

    slow = best(plain)
    report("generate, fast", best(lambda: generate(network, scene, start, fast=True)), slow)
    print(f"  PSNR {psnr(np.clip(plain() * scene.gain, 0, 1), truth):.3f} dB, as float32")
    for name, options in (("bin = 1", {"bin": 1}), ("joined where still", {})):
        experiment = sc.compose(model={"use": "spikling/semi-unet", **options})
        method = sc.prepare(experiment)
        report(f"spikling/semi-unet, {name}", best(lambda m=method: m.image(scene, clip.at)), slow)
        print(f"  PSNR {psnr(method.image(scene, clip.at), truth):.3f} dB")


def interval_loop(spikes, at):
    """The original's way: from the instant back and on, pixel by pixel."""
    picture = np.zeros(spikes.shape[1:], np.uint8)
    for y in range(spikes.shape[1]):
        for x in range(spikes.shape[2]):
            up = at
            while up < len(spikes) and not spikes[up, y, x]:
                up += 1
            down = at - 1
            while down > 0 and not spikes[down, y, x]:
                down -= 1
            picture[y, x] = 255 // (min(up, len(spikes) - 1) - down)
    return picture


def curve_loop(spikes, at, integral):
    return [[naive(spikes[:, y, x], at, integral) for x in range(spikes.shape[2])] for y in range(spikes.shape[1])]


def classical(clip):
    """Each classical method on the packed recording, and a loop over a few rows."""
    stream, at = clip.spikes, clip.at
    rows = stream.unpack()[:, :ROWS]
    sample = sc.collate([sc.Sample(key="s", spikes=stream, at=at)]).to("cpu")
    host = sc.PluginHost.discover()
    for name, loop in (
        ("interval", lambda: interval_loop(rows, at)),
        ("brightness-curve", lambda: curve_loop(rows, at, False)),
        ("integral-curve", lambda: curve_loop(rows, at, True)),
    ):
        for compat in (True, False):
            method = host.build(host.find(f"spikling/{name}"), {"compat": compat})
            ours = best(lambda method=method: method.reconstruct(sample), 20)
            report(f"spikling/{name}{' compat' if compat else ''}", ours, best(loop, 1) * SIZE[0] / ROWS)


def filters():
    picture = np.random.default_rng(0).random(SIZE) * 255
    part = picture[: ROWS + 2]
    slow = best(lambda: naive_denoising(part), 1) * SIZE[0] / ROWS
    report("denoising", best(lambda: denoising(picture)), slow)
    print(f"{'smoothing':<34}{1e3 * best(lambda: smoothing(picture)):>27.2f} ms")


if __name__ == "__main__":
    options = {"length": 101, "height": SIZE[0], "width": SIZE[1], "seed": 5, "speed": [0.0, 0.3]}
    host = sc.PluginHost.discover()
    clip = host.build(host.find("simulate/scenes"), options)[0]
    classical(clip)
    filters()
    networks(clip)
