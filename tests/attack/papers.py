"""Small good files of the other kinds: experiments, records, scenes, weights, results, evaluations. See `seeds`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from seeds import folder, stream

import spikecore as sc

if TYPE_CHECKING:
    import torch

_EXPERIMENT = """\
name = "clip"
seed = 3
requires = ["spikecore>=0.1"]

[source]
use = "vidar/dat"
path = "clip.dat"
rate = 1e4
check = false

[reconstructor]
use = "classic/tfp"
window = 21

[[method]]
use = "classic/tfi"
rule = "ssml"

[[metric]]
use = "builtin/psnr"

[run]
at = 20
gain = 1.5
display = "clip"
batch = 2
output = "out.png"
"""
_SIZE = "height = 16\nwidth = 24\n"
_SCENES = {
    "spikes": f'use = "simulate/scenes"\n{_SIZE}length = 12\nlayers = 2\nspeed = [0.0, 1.0]\nphotons = 3.0\n'
    "rate = [0.3, 0.6]\nblur = [0.5, 0.5]\nflow = true\ndepth = true\n",
    "events": f'use = "simulate/events"\n{_SIZE}length = 6\nfps = 500.0\ncontrast_on = 0.3\nleak = 1.0\nshot = 1.0\n'
    "refractory = 100.0\ndistance = [5.0, 15.0]\n",
    "stereo": f'use = "simulate/stereo-events"\n{_SIZE}length = 6\nseed = 2\n',
    "classes": 'use = "simulate/classes"\nnum_train = 1\nnum_test = 1\nnum_frames = 4\nimage_size = [24, 24]\n',
    "scene": f'use = "builtin/scene"\n{_SIZE}length = 30\n',
}


def experiments(root: Path) -> None:
    """Experiments in TOML and JSON, over a recording beside them."""
    for name in ("experiment.toml", "experiment.json"):
        made = folder(root, name)
        sc.save(stream(), made / "clip.dat")
        text = _EXPERIMENT
        if name.endswith(".json"):
            import tomllib

            text = json.dumps(tomllib.loads(text), indent=1)
        (made / name).write_text(text)


def records(root: Path) -> None:
    """What a run writes about itself."""
    made = folder(root, "record")
    sc.save(stream(), made / "clip.dat")
    table = {"source": {"use": "vidar/dat", "path": str(made / "clip.dat")}, "reconstructor": {"use": "classic/tfp"}}
    sc.run({**table, "run": {"at": 30, "output": str(made / "out.npy")}})
    (made / "clip.dat.toml").rename(made / "clip.toml")


def scenes(root: Path) -> None:
    """Options of generated scenes."""
    for name, text in _SCENES.items():
        (folder(root, name) / "scene.toml").write_text(f"seed = 1\n\n[source]\n{text}")


def weights_own(root: Path) -> None:
    """Weights that say what they are for."""
    made = {"component": "baseline/conv", "options": {}, "training": "none"}
    sc.write_weights(folder(root, "own") / "weights.safetensors", conv_tensors(), made)


def weights_zip(root: Path) -> None:
    """Checkpoints as torch writes them."""
    import torch

    tensors = conv_tensors()
    torch.save(tensors, folder(root, "plain") / "weights.pth")
    torch.save({f"module.{key}": value for key, value in tensors.items()}, folder(root, "parallel") / "weights.pth")


def weights_old(root: Path) -> None:
    """Checkpoints as torch wrote them long ago; they have no checksums."""
    import torch

    torch.save(conv_tensors(), folder(root, "old") / "weights.pth", _use_new_zipfile_serialization=False)


def weights_foreign(root: Path) -> None:
    """A checkpoint of another project, which an importer reads."""
    import spikecore_plugin_spikling
    import torch
    from safetensors.torch import load_file

    shipped = Path(spikecore_plugin_spikling.__file__).parent / "weights" / "generated.safetensors"
    torch.save({"netG_state": load_file(shipped), "epoch": 3}, folder(root, "generator") / "weights.pth")


def conv_tensors() -> dict[str, torch.Tensor]:
    """Weights of baseline/conv of no use."""
    import torch

    network = sc.default_host().build(sc.default_host().find("baseline/conv"), {}).network
    torch.manual_seed(0)
    return {name: torch.rand_like(value) / 100 for name, value in network.state_dict().items()}


def machines(root: Path) -> None:
    """A support vector machine in LIBSVM's text."""
    random = np.random.default_rng(5)
    head = "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\ntotal_sv 774\nrho -153.591\nSV\n"
    rows = [
        f"{random.normal():.3f} " + " ".join(f"{number}:{random.uniform(-1, 1):.3f}" for number in range(1, 37))
        for _ in range(774)
    ]
    (folder(root, "text") / "allmodel").write_text(head + "\n".join(rows) + "\n")


def results(root: Path) -> None:
    """A store with two runs."""
    from spikecore_plugin_results.store import Results

    store = Results(folder(root, "store") / "results.sqlite")
    for name in ("one", "two"):
        recipe = {"experiment": {"source": {"use": "builtin/scene"}, "run": {"at": 3}}, "inputs": {}}
        run = store.start("evaluate", name, recipe, "f" * 64)
        store.add(
            run, [sc.Score("clip", "classic/tfp", "builtin/psnr", 31.5, "", True), sc.Score("", "m", "k", None, "no")]
        )
        store.add_artefact(run, Path("scores.csv"), "0" * 64)
        store.finish(run, "done")


JUDGED = {
    "source": {"use": "builtin/scene", "height": 12, "width": 16, "length": 60},
    "method": [{"use": "classic/tfp", "window": 11}],
    "metric": [{"use": "builtin/psnr"}],
}


def evaluations(root: Path) -> None:
    """A finished evaluation."""
    from spikecore_plugin_evaluate.folder import evaluate_into

    host = sc.default_host()
    executor = sc.find_executor(host, "local", 1)
    evaluate_into(folder(root, "evaluation") / "done", sc.Experiment.from_dict(JUDGED, host), executor)
