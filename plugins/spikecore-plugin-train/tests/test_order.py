"""Which samples are seen when, and by which process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_train.order import Order


@given(
    st.integers(1, 30), st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 40)
)
def test_every_sample_is_seen_once_an_epoch_by_one_process(samples, batch, processes, accumulate, skip, steps):
    orders = [Order(samples, batch, 7, rank, processes, accumulate) for rank in range(processes)]
    skip %= orders[0].batches
    shares = [list(order.shares(2, skip, steps)) for order in orders]
    whole = Order(samples, batch, 7)
    for number, together in enumerate(zip(*shares, strict=True)):
        epoch, position = 2 + (skip + number) // whole.batches, (skip + number) % whole.batches
        places = [place for share in together for micro in share.micros for place in micro]
        items = [place.item for place in places]
        begin = epoch * samples + position * batch
        assert [place.position for place in places] == list(range(begin, begin + len(items)))
        assert {place.epoch for place in places} == {epoch}
        assert items == whole.permutation(epoch)[position * batch : (position + 1) * batch].tolist()
        assert {(share.epoch, share.number, share.size) for share in together} == {(epoch, position, len(items))}
        assert together[0].last == (position == whole.batches - 1)
        assert together[0].micros, "the writing process always has a share"
    assert len(shares[0]) == steps


def test_every_epoch_has_an_order_of_its_own():
    order = Order(20, 4, 0)
    assert order.permutation(0).tolist() != order.permutation(1).tolist()
    assert order.permutation(0).tolist() != Order(20, 4, 1).permutation(0).tolist()
    assert sorted(order.permutation(5).tolist()) == list(range(20))
