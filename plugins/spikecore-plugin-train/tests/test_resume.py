"""What is stopped goes on as if it had not been."""

from __future__ import annotations

import os
import random
import signal
import time
import warnings

import attrs
import numpy as np
import pytest
import torch
from spikecore_plugin_train import randomness
from spikecore_plugin_train.checkpoint import CheckpointWarning, Store, read

from spikecore import SpikeFormatError, UsageError
from spikecore.files.held import held_folder

CPU = torch.device("cpu")


def same(one, other):
    """Checkpoints with equal weights, average, optimiser, random states and losses, bit for bit."""
    assert one.keys() == other.keys()
    for key in one:
        if isinstance(one[key], dict):
            same(one[key], other[key])
        elif isinstance(one[key], torch.Tensor):
            assert torch.equal(one[key].nan_to_num(7.0), other[key].nan_to_num(7.0)), key
        elif isinstance(one[key], list) and one[key] and isinstance(one[key][0], dict):
            for left, right in zip(one[key], other[key], strict=True):
                same(left, right)
        elif key not in ("id", "recipe"):
            assert one[key] == other[key], key


def kill_at(process, step, number=signal.SIGKILL):
    """Send a signal once the program has said that `step` is done, SIGKILL to it alone; returns what it said after."""
    for line in process.stdout:
        if int(line) >= step:
            time.sleep(random.random() / 30)  # at any moment of a step
            if number == signal.SIGKILL:
                process.kill()
            else:
                os.killpg(process.pid, number)  # as a terminal and batch systems do
            break
    rest, errors = process.communicate(timeout=120)
    return rest, errors


def test_fifty_steps_under_one_seed_give_equal_losses(task, tmp_path):
    losses = [task.train(tmp_path / name, 50, seed=3)[0].losses for name in ("one", "two")]
    assert len(losses[0]) == 50
    assert losses[0] == losses[1]
    assert losses[0] != task.train(tmp_path / "three", 50, seed=4)[0].losses


def test_killed_and_resumed_is_equal_bit_for_bit(task, program, tmp_path):
    whole, _ = task.train(tmp_path / "whole", 40)
    process = program(tmp_path / "killed", "--steps", "40")
    kill_at(process, random.Random(0).randrange(6, 30))
    assert process.returncode == -signal.SIGKILL
    resumed, _ = task.train(tmp_path / "killed", 40, resume="auto")
    assert resumed.losses == whole.losses
    same(read(whole.checkpoint), read(resumed.checkpoint))
    for name in ("weights.safetensors",):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_killed_at_five_random_points_is_equal_bit_for_bit(task, program, tmp_path, workers):
    options = ("--steps", "60", "--options", f'{{"workers": {workers}, "checkpoint_every": 7}}')
    whole, _ = task.train(tmp_path / "whole", 60, options={"checkpoint_every": 7})
    points = random.Random(workers)
    for step in sorted(points.sample(range(8, 48), 5)):
        process = program(tmp_path / "killed", *options)
        kill_at(process, step)
        assert process.returncode == -signal.SIGKILL
    resumed, _ = task.train(tmp_path / "killed", 60, options={"checkpoint_every": 7}, resume="auto")
    same(read(whole.checkpoint), read(resumed.checkpoint))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [0, 1])
def test_stopped_with_its_group_it_writes_a_last_checkpoint(task, program, tmp_path, workers, number):
    whole, _ = task.train(tmp_path / "whole", 40, options={"checkpoint_every": 1000})
    options = f'{{"checkpoint_every": 1000, "workers": {workers}}}'
    process = program(tmp_path / "killed", "--steps", "40", "--options", options)
    _, errors = kill_at(process, 10, number)
    assert "Interrupted" in errors
    (left,) = (tmp_path / "killed" / "checkpoints").glob("*.pt")
    assert 10 <= read(left)["progress"]["step"] < 40
    resumed, _ = task.train(tmp_path / "killed", 40, options={"checkpoint_every": 1000}, resume="auto")
    same(read(whole.checkpoint), read(resumed.checkpoint))


def test_a_finished_run_has_nothing_left_to_do(task, tmp_path):
    first, _ = task.train(tmp_path)
    again, _ = task.train(tmp_path, resume="auto", losses={"l2": None})  # which could not be asked
    assert (again.steps, again.losses, again.checkpoint) == (first.steps, first.losses, first.checkpoint)


def test_a_resumed_run_fetches_only_what_is_left(task, tmp_path):
    class Counted(task.TinySource):
        def __getitem__(self, item, /):
            fetched.append(item)
            return super().__getitem__(item)

    fetched = []
    task.train(tmp_path, 24, source=Counted(10), options={"keep": 9})
    whole = list(fetched)
    for path in sorted((tmp_path / "checkpoints").glob("*.pt"))[3:]:
        path.unlink()  # the newest is that of step 15 now: the third step of stage two
    fetched.clear()
    task.train(tmp_path, 24, source=Counted(10), resume="auto")
    assert fetched == whole[-len(fetched) :]
    assert len(fetched) < len(whole) / 2


def test_the_newest_and_the_best_are_kept(task, tmp_path):
    from spikecore.testing.tiny import TinyMetric

    task.train(tmp_path, 24, options={"keep": 2}, validation=task.TinySource(2), metrics={"mae": TinyMetric()})
    found = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert found == {"step-000000020.pt", "step-000000024.pt", "best.pt"}
    assert read(tmp_path / "checkpoints" / "best.pt")["progress"]["best"] is not None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_checkpoint_is_told_and_the_one_before_is_used(task, tmp_path, damage):
    whole, _ = task.train(tmp_path)
    newest = whole.checkpoint
    content = bytearray(newest.read_bytes())
    final = read(newest)
    place = content.find(final["model"]["network.0.weight"].numpy().tobytes())
    assert place > 0
    content[place] ^= 1
    newest.write_bytes(
        {"cut": content[: len(content) // 2], "flipped": content, "empty": b"", "text": b"hello"}[damage]
    )
    with pytest.warns(CheckpointWarning, match=f"{newest.name}.*an older one is used"):
        resumed, _ = task.train(tmp_path, resume="auto")
    same(final, read(resumed.checkpoint))


def test_without_a_readable_checkpoint_it_does_not_begin_anew(task, tmp_path):
    result, _ = task.train(tmp_path, 4)
    result.checkpoint.write_bytes(b"")
    with pytest.warns(CheckpointWarning), pytest.raises(SpikeFormatError, match="none of 1 checkpoints"):
        task.train(tmp_path, 4, resume="auto")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seed": 9}, "seed was 0, is 9"),
        ({"options": {"batch": 5}}, "batch was 4, is 5"),
        ({"source": "short"}, "samples was 10, is 9"),
        ({"options": {"ema": 0.0}}, "ema"),
        ({"plain": True, "options": {"ema": 0.8}}, "another model"),
        ({"optimiser": {"use": "adam", "beta1": 0.8}}, r"optimiser of stage 1 was .*'beta1': 0.9.* is .*'beta1': 0.8"),
        ({"optimiser": {"use": "sgd"}}, "optimiser of stage 1 was {'use': 'adam'.* is {'use': 'sgd'"),
        ({"trains": {"*": 0.5}}, r"trains of stage 1 was \[\('\*', 1.0\)\], is \[\('\*', 0.5\)\]"),
        ({"trains": {"network.0.*": 1.0}}, "trains of stage 2 was"),
        ({"losses": {"l2": 2.0}}, "losses of stage 1 was {'l2': 1.0}, is {'l2': 2.0}"),
    ],
)
def test_another_run_is_not_taken_for_this_one(task, tmp_path, changes, told):
    task.train(tmp_path, 4)
    if recipe := {name: changes[name] for name in ("optimiser", "trains", "losses") if name in changes}:
        changes = {"stages": task.recipe(4, **recipe)}
    if changes.get("source"):
        changes = {"source": task.TinySource(9)}
    with pytest.raises((UsageError, SpikeFormatError), match=told):
        task.train(tmp_path, 4, resume="auto", **changes)


def test_another_best_metric_is_refused(task, tmp_path):
    from spikecore.testing.tiny import TinyMetric

    given = {"validation": task.TinySource(2), "metrics": {"one": TinyMetric(), "two": TinyMetric()}}
    task.train(tmp_path, 4, **given)
    with pytest.raises(UsageError, match="best was 'one', is 'two'"):
        task.train(tmp_path, 4, resume="auto", options={"best": "two"}, **given)


def test_learning_rates_and_lengths_that_lie_ahead_may_change(task, tmp_path):
    task.train(tmp_path, 24)
    for step in (20, 24):
        (tmp_path / "checkpoints" / f"step-{step:09d}.pt").unlink()
    first, second = task.recipe(24, optimiser={"use": "adam", "lr": 0.001})
    resumed, _ = task.train(tmp_path, stages=[first, attrs.evolve(second, steps=14)], resume="auto")
    assert resumed.steps == 12 + 14


@pytest.mark.parametrize("length", [6, 14])
def test_a_stage_that_has_ended_keeps_its_length(task, tmp_path, length):
    task.train(tmp_path, 24)
    first, second = task.recipe(24)
    for stages in ([attrs.evolve(first, steps=length), second], [first, attrs.evolve(second, steps=length)]):
        with pytest.raises(UsageError, match=r"ended after 12 steps; its length cannot change(.|\n)*run\.weights"):
            task.train(tmp_path, stages=stages, resume="auto")


def test_a_directory_in_use_is_refused(task, tmp_path):
    with held_folder(tmp_path), pytest.raises(UsageError, match="is in use by process"):
        task.train(tmp_path, 4)
    task.train(tmp_path, 4)


def test_leftovers_of_killed_processes_are_removed(task, tmp_path):
    task.train(tmp_path, 4)
    left = tmp_path / "checkpoints" / ".step-000000002-abcd1234.partial.pt"
    left.write_bytes(b"half")
    task.train(tmp_path, 4, resume="auto")
    assert not left.exists()


def test_a_checkpoint_holds_no_objects(task, tmp_path):
    result, _ = task.train(tmp_path, 4)
    content = torch.load(result.checkpoint, weights_only=True)
    assert set(content) == {
        "format", "progress", "guard", "model", "average", "optimiser", "scaler", "random", "recipe",
    }  # fmt: skip


def test_random_states_come_back_also_from_views():
    randomness.seed_process(1, 0)
    held = randomness.capture(CPU)
    drawn = torch.rand(3), np.random.rand(), np.random.randn(), random.random(), random.gauss(0, 1)
    views = {name: torch.stack([state, state])[1] for name, state in held.items()}
    assert views["torch"].storage_offset()
    randomness.restore(views, CPU)
    again = torch.rand(3), np.random.rand(), np.random.randn(), random.random(), random.gauss(0, 1)
    assert torch.equal(drawn[0], again[0])
    assert drawn[1:] == again[1:]


def test_random_states_of_the_wrong_size_are_refused():
    held = randomness.capture(CPU)
    with pytest.raises(SpikeFormatError, match="random state"):
        randomness.restore({**held, "torch": held["torch"][:100]}, CPU)


def test_processes_draw_different_numbers():
    drawn = []
    for rank in (0, 1):
        randomness.seed_process(1, rank)
        drawn.append((float(torch.rand(())), np.random.rand(), random.random()))
    assert not set(drawn[0]) & set(drawn[1])


def test_validation_does_not_change_what_follows(task, tmp_path):
    from spikecore.testing.tiny import TinyMetric

    class Wild(TinyMetric):
        def update(self, preds, target, /):
            torch.rand(5)
            random.random()
            super().update(preds, target)

    plain, _ = task.train(tmp_path / "plain")
    judged, _ = task.train(tmp_path / "judged", validation=task.TinySource(2), metrics={"mae": Wild()})
    assert plain.losses == judged.losses


def test_the_store_warns_of_nothing_when_all_is_well(task, tmp_path):
    result, _ = task.train(tmp_path, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path, content = Store(tmp_path, 3).newest()
    assert path == result.checkpoint
    assert content["progress"]["step"] == 4
