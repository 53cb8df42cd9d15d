"""Tables of labels: CSV and JSON."""

from __future__ import annotations

import csv
import json
from abc import abstractmethod
from collections.abc import Sequence
from io import StringIO
from typing import TextIO

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError
from spikecore.plugin.sink import Target
from spikecore.sinks.aside import AsideFile


@attrs.frozen
class Row:
    """What one instant was taken for.

    Args:
        instant: Frame number or microsecond.
        label: Name of the class with the highest score, the first of equals.
        score: Its score, as the method gave it.
        scores: That of every class by name, in the order of their numbers.
    """

    instant: int | float
    label: str
    score: float
    scores: dict[str, float]


def row(instant: float, scores: NDArray[np.float32], labels: Sequence[str] = ()) -> Row:
    """A result of kind label (classes,) as a row.

    Classes go by their names if each has one of its own, else by their numbers: names that a source has for other
    classes than the method's would be wrong ones.
    """
    fits = len(labels) == len(scores) == len(set(labels))
    names = list(labels) if fits else [str(number) for number in range(len(scores))]
    values = [float(str(score)) for score in np.asarray(scores, np.float32)]  # 0.3 and not 0.30000001192092896
    best = int(np.argmax(scores))
    at = int(instant) if float(instant).is_integer() else float(instant)
    return Row(at, names[best], values[best], dict(zip(names, values, strict=True)))


class _Table(AsideFile):
    """A text file with a piece of text for every instant, streamed."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._file: TextIO = self._guard(lambda: self.temporary.open("w", encoding="utf-8", newline=""))

    def write(self, instant: float, result: NDArray[np.float32]) -> None:
        """See `Sink`."""
        if result.ndim != 1 or not len(result):
            raise OutputError(f"{self.target.path}: a label is scores of shape (classes,), found {result.shape}")
        self._alike(result)
        text = self._text(row(instant, result, self.target.labels))
        self._guard(lambda: self._file.write(text))
        self.written += 1

    @abstractmethod
    def _text(self, row: Row) -> str: ...

    def _close(self) -> None:
        self._file.close()


class Csv(_Table):
    """Columns instant, label, score, and one for the scores of each class."""

    def _text(self, row: Row) -> str:
        lines = StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        if not self.written:
            writer.writerow(["instant", "label", "score", *row.scores])
        writer.writerow([row.instant, row.label, row.score, *row.scores.values()])
        return lines.getvalue()


class Json(_Table):
    """A list of objects {"instant", "label", "score", "scores": {class: score}}, one a line."""

    def _text(self, row: Row) -> str:
        return (",\n" if self.written else "[\n") + json.dumps(attrs.asdict(row), ensure_ascii=False)

    def _close(self) -> None:
        if not self._file.closed:
            self._file.write("\n]\n" if self.written else "[]\n")
        super()._close()
