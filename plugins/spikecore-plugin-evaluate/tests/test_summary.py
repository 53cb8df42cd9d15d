"""Means and tables of scores."""

from __future__ import annotations

from spikecore_plugin_evaluate.judgement import TIME
from spikecore_plugin_evaluate.summary import summarise, table

from spikecore import Score


def test_means_count_what_lacks_a_value():
    scores = [
        Score("a", "m", "x", 1.0, "", True),
        Score("b", "m", "x", None, "no file", True),
        Score("c", "m", "x", 4.0, "", True),
        Score("a", "n", "x", None, "no file", True),
    ]
    assert summarise(scores) == [
        Score("", "m", "x", 2.5, "1 of 3 items: no file", True),
        Score("", "n", "x", None, "1 of 1 items: no file", True),
    ]
    assert table(scores) == (
        ["item", "method", "judged", "x"],
        [
            ["a", "m", None, 1.0],
            ["b", "m", None, None],
            ["c", "m", None, 4.0],
            ["a", "n", None, None],
            ["mean", "m", "2 of 3", 2.5],
            ["mean", "n", "0 of 1", None],
        ],
    )
    assert table([*scores, Score("a", "m", "y", 1.0)], each=False)[1][0] == ["mean", "m", "1 to 2 of 3", 2.5, 1.0]
    assert table(scores, means=False)[0] == ["item", "method", "x"]


def test_the_time_of_a_run_is_a_median():
    scores = [Score(item, "m", TIME, value) for item, value in zip("abc", (1.0, 2.0, 90.0), strict=True)]
    (summary,) = summarise(scores)
    assert summary.value == 2.0
