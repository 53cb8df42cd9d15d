from __future__ import annotations

import pytest

from spikecore.kernels.compiled import compiled


def test_compiles_where_nothing_can_be_kept_on_disk(monkeypatch):
    def njit(function, *, cache=False, **options):
        if cache:
            raise RuntimeError("no locator available")
        return function

    monkeypatch.setattr("numba.njit", njit)
    with pytest.warns(UserWarning, match=r"no locator available; set NUMBA_CACHE_DIR"):
        assert compiled(abs)(-3) == 3
