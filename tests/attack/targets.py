"""What is attacked: readers of every kind of file, each through the verbs that users type."""

from __future__ import annotations

import json
import os
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import papers
import seeds
import values
from inputs import Target

import spikecore as sc


def recording(path: Path) -> str:
    """As `sc.open_source` reads it."""
    return values.of_source(sc.open_source(path, **_options(path.parent)))


def described(path: Path) -> str:
    """The recording that a file beside it describes."""
    return recording(path.with_name("clip.dat"))


def _folder(path: Path) -> str:
    return values.of_source(sc.open_source(path.parent, **_options(path.parent)))


def picture_set(path: Path) -> str:
    """The folder of recordings and pictures that a picture belongs to."""
    return values.of_source(sc.open_source(path.parents[1]))


@cache
def _options(folder: Path) -> dict[str, Any]:
    file = folder / "options.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def picture(path: Path) -> str:
    """A picture as ground truth."""
    from spikecore.files.pictures import read_image

    image = read_image(path)
    assert ((image >= 0) & (image <= 1)).all(), "intensities outside 0..1"
    return f"{image.shape} {values.digest(image)}"


def experiment(path: Path) -> str:
    """As far as `spikecore run --check` goes, and the recording it names."""
    os.chdir(path.parent)
    experiment = sc.Experiment.from_file(path, sc.default_host())
    json.dumps(experiment.dump())
    source = experiment.parts.get("source")
    return f"{experiment.fingerprint} {values.of_source(source.build()) if source else ''}"


def _scene(path: Path) -> str:
    experiment = sc.Experiment.from_file(path, sc.default_host())
    source = experiment.parts.get("source")
    return values.of_sample(source.build()[0]) if source else ""


@cache
def _scenery() -> sc.SpikeStream:
    return sc.SpikeStream.from_frames(np.random.default_rng(0).random((45, 16, 16)) < 0.3)


def weights(path: Path) -> str:
    """An image made with them."""
    image = sc.reconstruct(_scenery(), "baseline/conv", weights=path)
    assert np.isfinite(image).all(), "an image that is not finite"
    return values.digest(image)


def _foreign_weights(path: Path) -> str:
    return values.digest(sc.reconstruct(_scenery(), "spikling/semi-unet", weights=path))


def _machine(path: Path) -> str:
    import torch

    host = sc.default_host()
    metric = host.build(host.find("iqa/brisque"), {"model": str(path)})
    image = torch.from_numpy(np.random.default_rng(0).random((1, 1, 32, 32)).astype(np.float32))
    metric.update(image, image)
    return str(metric.compute())


def results(path: Path) -> str:
    """Everything in a store, and that another run can be recorded."""
    from spikecore_plugin_results.store import Results

    store = Results(path)
    runs = store.runs()
    told = [(run, run.data, store.scores(run.id), store.artefacts(run.id)) for run in runs]
    store.recorded()
    store.finish(store.start("evaluate", "another", {}), "done")
    assert len(store.runs()) == len(runs) + 1, "a recorded run is not there"
    return sha256(repr(told).encode()).hexdigest()[:12]


def _evaluation(path: Path) -> str:
    """The evaluation goes on from what is in its folder."""
    from spikecore_plugin_evaluate.folder import evaluate_into

    host = sc.default_host()
    experiment = sc.Experiment.from_dict(papers.JUDGED, host)
    judged = evaluate_into(path.parents[1], experiment, sc.find_executor(host, "local", 1))
    scores = [score for one in judged for score in one.scores if score.metric == "builtin/psnr"]
    return repr([(score.item, score.method, score.value, score.reason) for score in scores])


TARGETS = {
    "dat": Target(seeds.dat, "clip.dat", recording),
    "description": Target(
        seeds.descriptions, "clip.dat.toml|clip.toml|clip.json|config.*", described, share=2, text=True
    ),
    "npz-own": Target(seeds.npz_own, "clip.npz", recording, share=2, checked=True),
    "npz-foreign": Target(seeds.npz_foreign, "clip.npz", recording, share=2, checked=True),
    "npy": Target(seeds.npy, "clip.npy", recording),
    "h5-own": Target(seeds.h5_own, "clip.h5", recording, share=2, checked=True),
    "h5-foreign": Target(seeds.h5_foreign, "clip.h5", recording, share=2),
    "events-own": Target(seeds.events_own, "clip.events.h5", recording, checked=True),
    "events-foreign": Target(seeds.events_foreign, "clip.events.h5", recording),
    "truth": Target(seeds.truth, "gt/a.png", picture_set, share=2, checked=True),
    "picture": Target(seeds.pictures, "picture.*", picture, share=2),
    "footage": Target(seeds.footage, "1.*", _folder),
    "video": Target(seeds.videos, "clip.*", recording),
    "experiment": Target(papers.experiments, "experiment.*", experiment, share=2, text=True),
    "record": Target(papers.records, "out.npy.run.json", experiment, text=True),
    "scene": Target(papers.scenes, "scene.toml", _scene, share=0.5, text=True),
    "weights-own": Target(papers.weights_own, "weights.safetensors", weights, share=0.3),
    "weights-zip": Target(papers.weights_zip, "weights.pth", weights, share=0.3, checked=True),
    "weights-old": Target(papers.weights_old, "weights.pth", weights, share=0.2),
    "weights-foreign": Target(papers.weights_foreign, "weights.pth", _foreign_weights, share=0.02, checked=True),
    "machine": Target(papers.machines, "allmodel", _machine, share=0.01, text=True),
    "results": Target(papers.results, "results.sqlite", results, share=0.5, writes=True),
    "evaluation": Target(papers.evaluations, "done/items/*.json", _evaluation, share=0.02, text=True, writes=True),
}
