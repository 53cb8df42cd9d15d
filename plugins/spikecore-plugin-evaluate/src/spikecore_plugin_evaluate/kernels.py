"""How fast the kernels are, each beside the best plain NumPy way and the bandwidth of the memory, in the same run.

`spikecore bench --kernels` and `python tests/benchmarks/kernels.py` print it; tests/benchmarks/README.md says what the
columns mean.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from spikecore import kernels

WINDOW, SEARCH = 41, 50
NEW = ", new memory"
Work = Callable[[], Any]


class Case(NamedTuple):
    """Something to measure: the kernel, its reference, frames in a call of each, bytes that a frame must move."""

    name: str
    threads: int
    work: Work
    frames: int
    traffic: int
    reference: str
    reference_work: Work
    reference_frames: int


def spikes(frames: int, width: int) -> np.ndarray:
    """Packed random spikes: every pixel has a rate of its own, from none to one spike in three frames."""
    random = np.random.default_rng(0)
    rates = random.random(8 * width, dtype=np.float32) / 3
    rows = (random.random(8 * width, dtype=np.float32) < rates for _ in range(frames))
    return np.stack([np.packbits(row, bitorder="little") for row in rows])


def bits(frame: np.ndarray) -> np.ndarray:
    """The pixels of a packed frame, 0 or 1."""
    return np.unpackbits(frame, bitorder="little")


def numpy_unpack(packed: np.ndarray, out: np.ndarray) -> None:
    """Unpack row by row; all at once is slower, as it needs new memory."""
    for row, frame in enumerate(packed):
        out[row] = bits(frame)


def numpy_counts(packed: np.ndarray) -> np.ndarray:
    """Add up the unpacked frames."""
    total = bits(packed[0])
    for frame in packed[1:]:
        total += bits(frame)
    return total


def numpy_sliding_counts(packed: np.ndarray, window: int, out: np.ndarray) -> None:
    """A running sum: add the entering frame, take away the leaving one."""
    out[0] = numpy_counts(packed[:window])
    for row in range(1, len(out)):
        np.add(out[row - 1], bits(packed[row + window - 1]), out=out[row])
        out[row] -= bits(packed[row - 1])


def numpy_first_spikes(frames: np.ndarray) -> np.ndarray:
    """Number of the first frame in which each pixel spikes, -1 for none; stops once all have."""
    distance = np.full(8 * frames.shape[1], -1, np.int32)
    waiting = np.ones(8 * frames.shape[1], bool)
    for number, frame in enumerate(frames):
        found = bits(frame).view(bool) & waiting
        distance[found] = number
        waiting ^= found
        if not waiting.any():
            break
    return distance


def numpy_intervals(packed: np.ndarray, at: int, search: int) -> np.ndarray:
    """The sum of the distances to the spikes before and after."""
    before = numpy_first_spikes(packed[max(0, at - search) : at][::-1])
    after = numpy_first_spikes(packed[at : at + search])
    return np.where((before >= 0) & (after >= 0), before + after + 1, 0)


class NumpyState:
    """Age and last interval of every pixel, in arithmetic on bytes: several times as fast as masks and `where`.

    `left` is 256 - age, and 0 while there is none or it is over 255.
    """

    def __init__(self, pixels: int) -> None:
        self.left, self.ended, self._changed = np.zeros((3, pixels), np.uint8)

    def push(self, frame: np.ndarray) -> None:
        """Go on by one packed frame."""
        spiking = np.negative(bits(frame))  # 255 where a pixel spikes
        np.bitwise_xor(self.ended, self.left, out=self._changed)
        self._changed &= spiking
        self.ended ^= self._changed
        np.maximum(self.left, 1, out=self.left)
        self.left -= 1
        self.left |= spiking


def numpy_push(packed: np.ndarray, state: NumpyState) -> None:
    """Follow a live stream."""
    for frame in packed:
        state.push(frame)


def numpy_sliding_intervals(packed: np.ndarray, out: np.ndarray) -> None:
    """A scan forwards for the age before each frame, and one backwards that hands on the length at each spike.

    Intervals are closed on the left, and at most 255 frames long.
    """
    state = NumpyState(8 * packed.shape[1])
    for row, frame in enumerate(packed):
        out[row] = state.left
        np.maximum(state.left, 1, out=state.left)
        state.left -= 1
        state.left |= np.negative(bits(frame))
    length, changed = np.zeros((2, 8 * packed.shape[1]), np.uint8)
    for row in range(len(packed) - 1, -1, -1):
        np.bitwise_xor(length, out[row], out=changed)
        changed &= np.negative(bits(packed[row]))
        np.negative(length, out=out[row])
        length ^= changed


def numpy_sliding_intervals_with_where(packed: np.ndarray, out: np.ndarray) -> None:
    """The same, as one would write it first."""
    age = np.zeros(8 * packed.shape[1], np.uint8)
    for row, frame in enumerate(packed):
        out[row] = age
        age = np.where(bits(frame).view(bool), np.uint8(1), age + (age > 0))
    length = np.zeros_like(age)
    for row in range(len(packed) - 1, -1, -1):
        earlier = np.where(bits(packed[row]).view(bool), out[row], length)
        out[row] = length
        length = earlier


def bandwidth(threads: int, repeats: int, size: int) -> tuple[float, float]:
    """Bytes per second to and from memory in this many threads: known memory, and new memory that is filled once.

    The first is the better of filling and copying large arrays.
    """
    old, new = np.ones((2, threads, size // threads), np.uint8)
    with ThreadPoolExecutor(threads) as pool:

        def fill(parts: np.ndarray) -> None:
            list(pool.map(lambda part: np.copyto(part, 2), parts))

        known = fastest(lambda: fill(new), repeats)
        copied = fastest(lambda: list(pool.map(np.copyto, new, old)), repeats)
        fresh = fastest(lambda: fill(np.empty_like(new)), repeats)
    return max(new.nbytes / known, 2 * new.nbytes / copied), new.nbytes / fresh


def fastest(work: Work, repeats: int) -> float:
    """Seconds of the fastest of several calls."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def every_frame(packed: np.ndarray, threads: int) -> Iterator[Case]:
    """The kernels with a result for every frame, into the same memory and into new memory each time."""
    frames, width = packed.shape
    room = np.zeros((frames, 8 * width), np.uint8)
    few = packed[:400]
    yield from _every_frame(packed, threads, "", lambda rows: room[:rows])
    yield from _every_frame(packed, threads, NEW, lambda rows: np.empty((rows, 8 * width), np.uint8))
    yield Case(
        "sliding_intervals", threads,
        lambda: kernels.sliding_intervals(packed, out=room, threads=threads), frames, 9 * width,
        "scan with where", lambda: numpy_sliding_intervals_with_where(few, room[: len(few)]), len(few),
    )  # fmt: skip


def _every_frame(packed: np.ndarray, threads: int, where: str, out: Callable[[int], np.ndarray]) -> Iterator[Case]:
    frames, width = packed.shape
    few = packed[:400]
    count, few_count = frames - WINDOW + 1, len(few) - WINDOW + 1
    yield Case(
        f"unpack{where}", threads,
        lambda: kernels.unpack(packed, out=out(frames), threads=threads), frames, 9 * width,
        "unpackbits, row by row", lambda: numpy_unpack(few, out(len(few))), len(few),
    )  # fmt: skip
    yield Case(
        f"sliding_counts({WINDOW}){where}", threads,
        lambda: kernels.sliding_counts(packed, WINDOW, out=out(count), threads=threads), count, 9 * width,
        "running sum", lambda: numpy_sliding_counts(few, WINDOW, out(few_count)), few_count,
    )  # fmt: skip
    yield Case(
        f"sliding_intervals{where}", threads,
        lambda: kernels.sliding_intervals(packed, out=out(frames), threads=threads), frames, 9 * width,
        "scan in byte arithmetic", lambda: numpy_sliding_intervals(few, out(len(few))), len(few),
    )  # fmt: skip


def one_result(packed: np.ndarray) -> Iterator[Case]:
    """The kernels with one result, and live streams."""
    width, at = packed.shape[1], len(packed) // 2
    some, many = packed[at : at + WINDOW], packed[: min(len(packed), 400)]
    yield Case(
        f"counts of {WINDOW} frames", 1, lambda: kernels.counts(some), WINDOW, width,
        "sum", lambda: numpy_counts(some), WINDOW,
    )  # fmt: skip
    yield Case(
        f"intervals, search {SEARCH}", 1, lambda: kernels.intervals(packed, at, search=SEARCH), 2 * SEARCH, width,
        "masks", lambda: numpy_intervals(packed, at, SEARCH), 2 * SEARCH,
    )  # fmt: skip
    state, plain = kernels.IntervalState(width), NumpyState(8 * width)
    yield Case(
        "IntervalState.push, many", 1, lambda: state.push(packed), len(packed), width,
        "byte arithmetic", lambda: numpy_push(many, plain), len(many),
    )  # fmt: skip
    yield Case(
        "IntervalState.push, one by one", 1, lambda: push_each(state, packed), len(packed), width,
        "byte arithmetic", lambda: numpy_push(many, plain), len(many),
    )  # fmt: skip


def push_each(state: kernels.IntervalState, packed: np.ndarray) -> None:
    """Follow a live stream that comes frame by frame."""
    for frame in packed:
        state.push(frame)


def check() -> None:
    """Make sure that the references compute what the kernels do."""
    packed = spikes(120, 9)
    counted, lengths, plain = np.zeros((80, 72), np.uint8), np.zeros((2, 120, 72), np.uint8), NumpyState(72)
    state = kernels.IntervalState(9)
    numpy_sliding_counts(packed, WINDOW, counted)
    numpy_sliding_intervals(packed, lengths[0])
    numpy_sliding_intervals_with_where(packed, lengths[1])
    numpy_push(packed, plain)
    state.push(packed)
    np.testing.assert_array_equal(counted, kernels.sliding_counts(packed, WINDOW))
    np.testing.assert_array_equal(numpy_counts(packed), kernels.counts(packed))
    for length in lengths:
        np.testing.assert_array_equal(length, kernels.sliding_intervals(packed, closed="left"))
    np.testing.assert_array_equal(numpy_intervals(packed, 60, SEARCH), kernels.intervals(packed, 60, search=SEARCH))
    np.testing.assert_array_equal(-plain.ended, state.intervals())


def measure(case: Case, geometry: str, memory: float, repeats: int) -> dict[str, Any]:
    """One row: the kernel and its reference in turns, the fastest call of each."""
    case.work()  # compiles
    best = best_reference = np.inf
    for _ in range(repeats):
        best_reference = min(best_reference, fastest(case.reference_work, 1))
        best = min(best, fastest(case.work, 3))
    speed, reference_speed = case.frames / best, case.reference_frames / best_reference
    return {
        "name": case.name,
        "geometry": geometry,
        "threads": case.threads,
        "frames_per_second": speed,
        "reference": case.reference,
        "reference_frames_per_second": reference_speed,
        "ratio": speed / reference_speed,
        "bandwidth_share": speed * case.traffic / memory,
        "memory_bytes_per_second": memory,
    }


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure everything; `quick` takes seconds and is for seeing that it works."""
    check()
    repeats = 2 if quick else 7
    memory = {threads: bandwidth(threads, 2 * repeats, 1 << (26 if quick else 29)) for threads in (1, 2)}
    rows = []
    for geometry, width, frames in (("250x400", 12_500, 3000), ("1000x1000", 125_000, 500)):
        packed = spikes(frames // 6 if quick else frames, width)
        for threads in (1, 2):
            cases = [*every_frame(packed, threads), *(one_result(packed) if threads == 1 else ())]
            rows += [measure(case, geometry, memory[threads][NEW in case.name], repeats) for case in cases]
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text."""
    lines = [
        f"{'kernel':34} {'geometry':>10} {'threads':>7} {'frames/s':>10}  "
        f"{'NumPy reference':24} {'frames/s':>9} {'ratio':>6} {'of memory':>9}"
    ]
    for row in rows:
        lines.append(
            f"{row['name']:34} {row['geometry']:>10} {row['threads']:>7} {row['frames_per_second']:>10,.0f}  "
            f"{row['reference']:24} {row['reference_frames_per_second']:>9,.0f} {row['ratio']:>6.1f} "
            f"{row['bandwidth_share']:>9.0%}"
        )
    memory = {(row["threads"], NEW in row["name"]): row["memory_bytes_per_second"] / 1e9 for row in rows}
    for (threads, new), speed in memory.items():
        lines.append(f"{'new' if new else 'known'} memory in {threads} thread(s): {speed:.1f} GB/s")
    return "\n".join(lines)
