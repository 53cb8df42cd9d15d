"""Reading ahead."""

from __future__ import annotations

import threading

import pytest

from spikecore.runner.ahead import ahead


def test_ahead_keeps_order_and_bounds_what_is_prepared():
    started = []

    def items():
        for number in range(20):
            started.append(number)
            yield number

    stream = ahead(items(), 3)
    assert next(stream) == 0
    assert list(stream) == list(range(1, 20))

    started.clear()
    stream = ahead(items(), 2)
    next(stream)
    threading.Event().wait(0.2)
    assert len(started) <= 1 + 2 + 1
    stream.close()
    assert len(started) <= 5


def test_ahead_hands_over_errors_after_the_items_before_them():
    def items():
        yield 1
        raise ValueError("broken")

    stream = ahead(items(), 2)
    assert next(stream) == 1
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_closing_ahead_closes_what_it_reads():
    closed = threading.Event()

    def items():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    stream = ahead(items(), 2)
    next(stream)
    stream.close()
    assert closed.wait(2)
