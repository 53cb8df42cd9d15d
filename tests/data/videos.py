"""Small binary videos, for tests of properties."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 21))


@st.composite
def videos(draw):
    """uint8 (frames, height, width) in {0, 1}."""
    shape = draw(SIZES)
    rate = draw(st.sampled_from([0.0, 0.05, 0.3, 0.9, 1.0]))
    return (np.random.default_rng(draw(st.integers(0, 99))).random(shape) < rate).astype(np.uint8)
