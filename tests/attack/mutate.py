"""Damage, as it happens to files and as somebody would do it on purpose. Everything comes from the generator given."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

MARKS = re.compile(
    rb"PK\x01\x02|PK\x03\x04|PK\x05\x06|IHDR|IDAT|IEND|\xff[\xc0\xc2\xc4\xda\xdb\xe0]|BM|II\*\x00|MM\x00\*|\x93NUMPY|descr"
    rb"|shape|TREE|SNOD|HEAP|GCOL|OHDR|FRHP|FADB|EAHD|BTHD|moov|mdat|stsz|stco|avih|strf|idx1|SQLite|CREATE|dtype|offsets"
)
"""Where the formats keep what they say about themselves; fields lie within a few bytes after these."""
_NEAR = 96
_SIZES = (1, 2, 4, 8)
_ODD_TEXTS = (
    b"-1", b"0", b"1e400", b"nan", b"-inf", b"true", b"null", b'""', b"[]", b"{}", b"2026-01-01", b"0x" + b"f" * 5000,
    b"9" * 5000, b"99999999999", b"9223372036854775807", b"1e-320", b'"' + b"a" * 20000 + b'"', b'"\\u0000"',
    b'"\\ud800"', b"'\x1b[31m'", b"[" * 3000, b'{"a":' * 3000, b"[" * 500 + b"]" * 500, b"a." * 3000 + b"a = 1",
    b"&a [*a, *a]", b"!!python/object:os.system x", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"\r", b"..", b"/etc/passwd",
    b'"http://localhost:9/x"', b"[[a]]\n" * 3000, b"1\n" * 3000, b"0o7", b"1_000", b"'", b'"""', b"#", b":", b"=",
)  # fmt: skip


def mutate(random: Generator, data: bytes, other: bytes, text: bool) -> tuple[bytes, bool]:
    """Damaged bytes, and whether checksums inside were made right again, so that nobody could notice.

    Args:
        random: Decides everything.
        data: A good file.
        other: Another good file of the kind, to splice with.
        text: The file is text that people edit: half of the damage is done to words and values.
    """
    repack = _repacker(data)
    if repack is not None and random.random() < 0.3:
        return repack(random, data), True
    damaged = bytearray(data)
    for _ in range(int(random.choice([1, 1, 1, 2, 4]))):
        if text and random.random() < 0.7:
            damaged = bytearray(_edit(random, bytes(damaged)))
        else:
            kind = _KINDS[int(random.integers(len(_KINDS)))]
            damaged = kind(random, damaged, other)
    return bytes(damaged), False


def _place(random: Generator, data: bytes | bytearray) -> int:
    """A position: a field of a header as often as any other byte."""
    choice = random.random()
    if choice < 0.4:
        marks = [found.start() for found in MARKS.finditer(bytes(data[:65536]) + bytes(data[-4096:]))]
        if marks:
            return min(int(random.choice(marks)) + int(random.integers(_NEAR)), max(len(data) - 1, 0))
    if choice < 0.6:
        return int(random.integers(min(len(data), 1024) or 1))
    return int(random.integers(len(data) or 1))


def _flip(random: Generator, data: bytearray, other: bytes) -> bytearray:
    if data:
        data[_place(random, data)] ^= 1 << int(random.integers(8))
    return data


def _bytes(random: Generator, data: bytearray, other: bytes) -> bytearray:
    at, length = _place(random, data), int(random.choice([1, 1, 2, 4, 16, 256]))
    value = int(random.choice([0, 1, 127, 128, 255, int(random.integers(256))]))
    data[at : at + length] = bytes([value]) * len(data[at : at + length])
    return data


def _number(random: Generator, data: bytearray, other: bytes) -> bytearray:
    """A whole number that programs stumble over, in either byte order, where such fields are aligned."""
    size = int(random.choice(_SIZES))
    at = _place(random, data) // size * size
    limit = 1 << (8 * size)
    close = int.from_bytes(data[at : at + size], "little") + int(random.integers(-2, 3))
    values = (0, 1, 2, limit - 1, limit - 2, limit // 2, limit // 2 - 1, 1 << int(random.integers(8 * size)), len(data))
    value = (close if random.random() < 0.3 else int(values[int(random.integers(len(values)))])) % limit
    data[at : at + size] = value.to_bytes(size, "little" if random.random() < 0.6 else "big")[: len(data) - at]
    return data


def _cut(random: Generator, data: bytearray, other: bytes) -> bytearray:
    return data[: int(random.integers(len(data) + 1))]


def _remove(random: Generator, data: bytearray, other: bytes) -> bytearray:
    at = _place(random, data)
    del data[at : at + int(random.choice([1, 2, 4, 8, 64, 512]))]
    return data


def _insert(random: Generator, data: bytearray, other: bytes) -> bytearray:
    at = _place(random, data)
    data[at:at] = random.bytes(int(random.choice([1, 2, 4, 8, 64, 512])))
    return data


def _repeat(random: Generator, data: bytearray, other: bytes) -> bytearray:
    start, at = _place(random, data), _place(random, data)
    piece = data[start : start + int(random.choice([4, 16, 64, 512]))]
    data[at:at] = piece * int(random.choice([1, 1, 1, 50]))
    return data


def _overwrite(random: Generator, data: bytearray, other: bytes) -> bytearray:
    """A piece of the file, or of the other one, over another place."""
    source = bytes(data) if random.random() < 0.5 else other
    start, at, length = _place(random, source), _place(random, data), int(random.choice([4, 8, 32, 256]))
    piece = source[start : start + length]
    data[at : at + len(piece)] = piece
    return data


def _splice(random: Generator, data: bytearray, other: bytes) -> bytearray:
    """The beginning of one file and the end of the other."""
    return data[: _place(random, data)] + other[_place(random, other) :]


_KINDS: tuple[Callable[[Generator, bytearray, bytes], bytearray], ...] = (
    _flip, _flip, _flip, _bytes, _number, _number, _number, _cut, _remove, _insert, _repeat, _overwrite, _splice,
)  # fmt: skip


def _edit(random: Generator, text: bytes) -> bytes:
    """Text with a value, a word or a line changed as no program would write it."""
    odd = _ODD_TEXTS[int(random.integers(len(_ODD_TEXTS)))]
    lines = text.splitlines(keepends=True) or [b""]
    line = int(random.integers(len(lines)))
    choice = random.random()
    words = list(re.finditer(rb'"[^"\n]*"|[\w.+-]+', text))
    if choice < 0.5 and words:
        word = words[int(random.integers(len(words)))]
        return text[: word.start()] + odd + text[word.end() :]
    if choice < 0.65:
        at = int(random.integers(len(text) + 1))
        return text[:at] + odd + text[at:]
    if choice < 0.75:
        return b"".join([*lines[:line], *lines[line + 1 :]])
    if choice < 0.85:
        return b"".join([*lines[: line + 1], lines[line] * int(random.choice([1, 1, 2000])), *lines[line + 1 :]])
    if choice < 0.95 and words:
        one, two = sorted(random.choice(len(words), 2)), words
        first, second = two[one[0]], two[one[1]]
        if first.end() <= second.start():
            middle = text[first.end() : second.start()]
            return text[: first.start()] + second[0] + middle + first[0] + text[second.end() :]
    return text.replace(b"\n", b"\r" if random.random() < 0.5 else b"\n\x00", 1)


def _repacker(data: bytes) -> Callable[[Generator, bytes], bytes] | None:
    if data.startswith(b"\x89PNG"):
        return _repack_png
    return _repack_zip if data.startswith(b"PK") else None


def _repack_png(random: Generator, data: bytes) -> bytes:
    """A PNG with one chunk altered, doubled, left out or moved, every checksum right."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    which = int(random.integers(len(chunks)))
    name, body = chunks[which]
    choice = random.random()
    if choice < 0.7:
        chunks[which] = (name, bytes(_KINDS[int(random.integers(8))](random, bytearray(body), body)))
    elif choice < 0.8:
        chunks.insert(int(random.integers(len(chunks))), (name, body))
    elif choice < 0.9:
        extra = (b"acTL", b"tRNS", b"PLTE", b"iCCP", b"gAMA", b"eXIf", b"zTXt")[int(random.integers(7))]
        chunks.insert(1, (extra, random.bytes(int(random.integers(64)))))
    else:
        del chunks[which]
    packed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    ]
    return data[:8] + b"".join(packed)


def _repack_zip(random: Generator, data: bytes) -> bytes:
    """An archive with one member altered, renamed, doubled or left out, every checksum right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    which = int(random.integers(len(members)))
    name, body = members[which]
    choice = random.random()
    if choice < 0.7:
        odd = bytearray(body)
        for _ in range(int(random.integers(1, 4))):
            odd = _KINDS[int(random.integers(8))](random, odd, body)
        members[which] = (name, bytes(odd))
    elif choice < 0.8:
        names = (f"../{name}", "\x1b[31m.npy", f"{name}/", "a" * 5000, f"x/{name}")
        members[which] = (names[int(random.integers(len(names)))], body)
    elif choice < 0.9:
        members.append((f"{int(random.integers(9))}.npy", np.lib.format.magic(1, 0) + random.bytes(32)))
    else:
        del members[which]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED if random.random() < 0.5 else zipfile.ZIP_STORED) as archive:
        for name, body in members:
            archive.writestr(zipfile.ZipInfo(name), body)
    return held.getvalue()
