"""File names in the order in which people number them."""

from __future__ import annotations

import re


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key by which numbers inside names count as numbers.

    >>> sorted(["10.dat", "9.dat", "a2.dat", "a10.dat"], key=natural)
    ['9.dat', '10.dat', 'a2.dat', 'a10.dat']
    """
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts if part], name
