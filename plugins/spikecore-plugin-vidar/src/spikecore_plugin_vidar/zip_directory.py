"""The directory of a zip file, compared with what lies in the file. Imports nothing heavy."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from spikecore import SpikeFormatError

_HEADER = struct.Struct("<4s5H3I2H")
_SIGNATURE = b"PK\x03\x04"
_DESCRIBED_AFTER = 0x8
_UTF8 = 0x800
_DESCRIPTOR = 24
_IN_EXTRA = 2**32 - 1
_MOST = 1000
_RATIO = 1100
"""Deflate cannot do better than 1032 to 1; more is a lie."""
_RATIO_COUNTS_FROM = 2**26


def checked_members(path: Path, file: ZipFile, raw: IO[bytes]) -> Sequence[ZipInfo]:
    """The members of an archive whose directory tells the truth.

    Each must have its own name, and be described in the directory as it is in front of its data. Together they must
    fill the file from its first byte to the directory: damage to a directory hides members, and members that lie over
    each other make small files large.

    Args:
        path: Named in messages.
        file: The archive.
        raw: The same file, as bytes.

    Raises:
        SpikeFormatError: If that is not so, or a member is packed otherwise than by deflate.
    """
    members = file.infolist()
    if len(members) > _MOST:
        raise SpikeFormatError(path, f"{len(members)} arrays", expected=f"at most {_MOST}")
    twice = [name for name, count in Counter(map(array_name, members)).items() if count > 1]
    if twice:
        raise SpikeFormatError(path, f"two arrays named {twice[0]!r}", expected="each name once")
    at, slack = 0, 0
    for info in sorted(members, key=lambda one: one.header_offset):
        _check_size(path, info)
        _check_place(path, at, info.header_offset, slack)
        at = info.header_offset + _length(path, raw, info) + info.compress_size
        slack = _DESCRIPTOR if info.flag_bits & _DESCRIBED_AFTER else 0
    _check_place(path, at, file.start_dir, slack)
    return members


def array_name(info: ZipInfo) -> str:
    """The name of the array that is a member of an archive."""
    return info.filename.removesuffix(".npy")


def _check_size(path: Path, info: ZipInfo) -> None:
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise SpikeFormatError(path, f"{info.filename} is packed by method {info.compress_type}", expected="deflate")
    stored = info.compress_type == ZIP_STORED
    if info.file_size > (info.compress_size if stored else max(_RATIO * info.compress_size, _RATIO_COUNTS_FROM)):
        found = f"{info.filename} unpacks from {info.compress_size} to {info.file_size} bytes"
        raise SpikeFormatError(path, found, expected=f"at most {1 if stored else _RATIO} times as much")


def _check_place(path: Path, end: int, start: int, slack: int) -> None:
    if not end <= start <= end + slack:
        found = f"bytes {end} to {start} belong to no array" if start > end else "arrays that lie over each other"
        hint = "the directory at the end of the file is damaged; fetch or write the file again"
        raise SpikeFormatError(path, found, expected="arrays one after another", hint=hint)


def _length(path: Path, raw: IO[bytes], info: ZipInfo) -> int:
    """Bytes of the header in front of a member's data, which must say what the directory says."""
    raw.seek(info.header_offset)
    fields = _HEADER.unpack(raw.read(_HEADER.size))
    signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length = fields
    name = raw.read(name_length)
    same = signature == _SIGNATURE and (flags, method) == (info.flag_bits, info.compress_type)
    same &= name == info.orig_filename.encode("utf-8" if flags & _UTF8 else "cp437")
    if not flags & _DESCRIBED_AFTER:
        same &= crc == info.CRC and packed in (info.compress_size, _IN_EXTRA) and size in (info.file_size, _IN_EXTRA)
    if not same:
        found = f"{info.filename} is described otherwise in the directory than in front of its data"
        raise SpikeFormatError(path, found, expected="the same twice: the file was altered")
    return _HEADER.size + int(name_length) + int(extra_length)
