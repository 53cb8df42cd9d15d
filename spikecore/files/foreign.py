"""Files that are no spike recordings, whatever their suffix: known by their first bytes, or by what they hold."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.errors import SpikeFormatError
from spikecore.files.boundary import first_bytes
from spikecore.files.event_columns import columns_of
from spikecore.plugin.known import install_hint

_REMEDY = (
    "no installed plugin reads event recordings of this kind; to convert it, {how} write NAME.events.h5:\n  HDF5 with "
    "/events/x, y, t (microseconds, int64), p (1 where brightness rose) and the attributes height and width of /events"
)
_PROPHESEE = "read it with expelliarmus or Metavision's EventsIterator (Python) and"
_TEXT_LINE = re.compile(rb"(%(?!PDF-|!PS)|#!AER-DAT)[\x20-\x7e]{3,}\r?\n")
_PLAIN_COLUMNS = {"events/x", "events/y", "events/t", "events/p"}
_PLAIN = bytes({*range(0x20, 0x7F), 9, 10, 13})
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(e[-+]?\d+)?")
_LEAST = 32
"""Events that must be there to be known by their times."""


@attrs.frozen
class Foreign:
    """What a file is that holds no spikes.

    Args:
        words: What it is, in words.
        hint: What to do with it.
        events: True for a recording of an event camera.
        sure: False where only its numbers say so, and not a signature.
    """

    words: str
    hint: str
    events: bool = False
    sure: bool = True

    def error(self, path: Path, expected: str) -> SpikeFormatError:
        """That this is no such file as expected."""
        return SpikeFormatError(path, self.words, expected=expected, hint=self.hint)


def identify(path: Path) -> Foreign | None:
    """What a file is, if it surely is no raw spike recording: of an event camera, packed, a picture, a program, text.

    Looks at the first bytes; of archives and HDF5, at the names and shapes of what they hold. None for folders, and for
    what cannot be read.
    """
    try:
        head = first_bytes(path, "a recording")
        size = path.stat().st_size
        return _event_file(head) or _held(path, head) or _other(path, head, size) or _unmarked(path, size)
    except (SpikeFormatError, OSError, ValueError):
        return None


def refuse_events(path: Path, expected: str) -> None:
    """Refuse a file that is surely events, before it is looked at as anything else.

    Raises:
        SpikeFormatError: What it is, and how to convert it.
    """
    found = identify(path)
    if found and found.events and found.sure:
        raise found.error(path, expected)


def _held(path: Path, head: bytes) -> Foreign | None:
    """Columns of events in an archive of NumPy, an array of it, or HDF5."""
    found = columns_of(path, head)
    if not found:
        return None
    words = f"it holds events ({found}), no spikes"
    if set(found.split(", ")) >= _PLAIN_COLUMNS:
        install = install_hint(file="NAME.events.h5")
        return Foreign(words, f"its reader is chosen where it is installed: {install}", events=True)
    return _events(words, "read its columns with NumPy or h5py and")


def _events(words: str, how: str) -> Foreign:
    return Foreign(words, _REMEDY.format(how=how), events=True)


def _event_file(head: bytes) -> Foreign | None:
    line = _TEXT_LINE.match(head)
    if line:
        text = line[0].decode().strip()
        if text.startswith("#!"):
            how = "read it with dv-processing or aedat (AEDAT 4), or with tonic.io (AEDAT 1 to 3, Python) and"
            return _events(f"an event recording in AEDAT, {text!r}", how)
        return _events(f"a text header, {text!r}, as event recordings of Prophesee cameras have", _PROPHESEE)
    if head.startswith(b"#ROSBAG V"):
        how = "unpack the event messages with rosbags (Python) and"
        return _events("a ROS bag, in which event cameras are recorded as messages", how)
    if head.startswith(b"\x89MCAP0\r\n"):
        return _events(
            "an MCAP file (ROS 2), in which event cameras are recorded as messages", "unpack it with mcap and"
        )
    if head.startswith(b"Event Stream"):
        return _events("an event recording in Event Stream format (.es)", "read it with loris (Python) and")
    return None


_UNPACK = "unpack it first"
_RENAME = "a recording of this kind is read if it has its suffix: {}"
_NONE = "this is no recording; give the recording itself"
_ANYWAY = "\n  if it is a spike recording all the same: source=ID, check=False (--source ID --no-check)"
_KINDS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", _RENAME.format("NAME.h5")),
    (0, b"\x93NUMPY", "a NumPy array file", _RENAME.format("NAME.npy")),
    (0, b"PK\x03\x04", "a zip archive (.npz and .pth are such)", _RENAME.format("NAME.npz") + "; else unpack it first"),
    (0, b"PK\x05\x06", "an empty zip archive", _UNPACK),
    (0, b"7z\xbc\xaf'\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (0, b"\xfd7zXZ\x00", "xz-compressed", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard-compressed", _UNPACK),
    (0, b"\x04\x22\x4d\x18", "LZ4-compressed", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"\x7fELF", "a program (ELF)", _NONE),
    (0, b"\xcf\xfa\xed\xfe", "a program (Mach-O)", _NONE),
    (0, b"%PDF-", "a PDF document", _NONE),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture", _NONE),
    (0, b"GIF87a", "a GIF picture", _NONE),
    (0, b"GIF89a", "a GIF picture", _NONE),
    (6, b"JFIF\x00", "a JPEG picture", _NONE),
    (6, b"Exif\x00", "a JPEG picture", _NONE),
    (0, b"II*\x00\x08\x00\x00\x00", "a TIFF picture", _NONE),
    (0, b"MM\x00*\x00\x00\x00\x08", "a TIFF picture", _NONE),
    (8, b"AVI LIST", "an AVI video", _RENAME.format("NAME.avi")),
    (8, b"WAVEfmt ", "a sound file (WAVE)", _NONE),
    (8, b"WEBPVP8", "a WebP picture", _NONE),
    (0, b"8BPS\x00\x01", "a Photoshop picture", _NONE),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture", _NONE),
    (0, b"#?RADIANCE", "a Radiance picture", _NONE),
    (4, b"ftypqt  ", "a QuickTime video", _RENAME.format("NAME.mov")),
    (4, b"ftyp", "an MP4 video or an HEIF picture", _RENAME.format("NAME.mp4")),
    (0, b"OggS\x00", "an Ogg file", _NONE),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document", _NONE),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video", _RENAME.format("NAME.mkv")),
    (0, b"SQLite format 3\x00", "an SQLite database (ROS 2 bags are such)", _NONE),
    (0, b"MATLAB 5.0 MAT-file", "a MATLAB file", 'save it as version 7.3 or convert it: numpy.save("a.npy", array)'),
    (0, b"MATLAB 7.3 MAT-file", "a MATLAB file (HDF5)", _RENAME.format("NAME.h5")),
    (0, b"ARROW1\x00\x00", "an Arrow file", _NONE),
    (0, b"PAR1\x15", "a Parquet file", _NONE),
    (0, b"CDF\x01\x00", "a netCDF file", _NONE),
    (0, b"SIMPLE  =  ", "a FITS file", _NONE),
    (128, b"DICM", "a DICOM picture", _NONE),
)
"""Where a signature lies, the signature, what it is, what to do. None so short that spikes begin so by chance."""


def _other(path: Path, head: bytes, size: int) -> Foreign | None:
    for offset, signature, words, hint in _KINDS:
        if head.startswith(signature, offset):
            return Foreign(words, hint)
    if re.match(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]", head, re.DOTALL):
        return Foreign("gzip-compressed", f"{_UNPACK}: gunzip")
    if re.match(rb"BZh[1-9]1AY&SY", head):
        return Foreign("bzip2-compressed", f"{_UNPACK}: bunzip2")
    if re.match(rb"\x80[\x02-\x05](\x95.{5}\x00{3}|c[\w.]+\n)", head, re.DOTALL) and _last_byte(path) == b".":
        return Foreign("a Python pickle, which is never read", 'write it as an array: numpy.save("NAME.npy", array)')
    if head[:2] == b"BM" and len(head) > 6 and struct.unpack_from("<I", head, 2)[0] == size:
        return Foreign("a BMP picture", _NONE)
    if head[8:10] == b'{"' and struct.unpack_from("<Q", head)[0] < size:
        return Foreign("weights (safetensors)", _NONE)
    if head[:2] == b"MZ" and len(head) > 64 and head.startswith(b"PE\x00\x00", struct.unpack_from("<I", head, 60)[0]):
        return Foreign("a program (Windows)", _NONE)
    return _text(head, size)


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)


def _text(head: bytes, size: int) -> Foreign | None:
    """Plain text of several lines; not the few bytes that a pattern of spikes may repeat."""
    if head.translate(None, _PLAIN) or b"\n" not in head:
        return None
    lines = head.removesuffix(b"\n").split(b"\n")[: None if len(head) >= size else -1]
    rows = [re.split(rb"[,;\s]+", line.strip()) for line in lines if not re.match(rb"\s*([#%/]|$)", line)]
    numbers = [row for row in rows if len(row) == 4 and all(_NUMBER.fullmatch(one) for one in row)]
    states = any({float(row[column]) for row in numbers} <= {-1, 0, 1} for column in range(4))
    if numbers and states and len(numbers) >= len(rows) - 1:  # the first may name the columns or the sensor's size
        return _events("events as text, four numbers a line", "read it with numpy.loadtxt and")
    is_text = len(head) >= 32 and len(set(head)) >= 8
    return Foreign("what looks like a text file", f"{_NONE}{_ANYWAY}", sure=False) if is_text else None


def _unmarked(path: Path, size: int) -> Foreign | None:
    """Events without any header, by times that never decrease: spikes do not count up over so many words."""
    with path.open("rb") as file:
        data = np.frombuffer(file.read(80 * _LEAST), np.uint8)
    if size % 5 == 0 and len(data) >= 5 * _LEAST:
        x, y, high, middle, low = data.reshape(-1, 5).T.astype(np.int64)
        if _count_up((high & 127) << 16 | middle << 8 | low) and _vary(x, 241) and _vary(y, 241):
            return _likely("40 bits each, as in N-MNIST and N-Caltech101", "read it with tonic.io (Python) and")
    if size % 8 or len(data) < 8 * _LEAST:
        return None
    time, word = data.view("<u4").reshape(-1, 2).T.astype(np.int64)
    if _count_up(time) and _vary(word & 0x3FFF, 4096) and _vary(word >> 14, 4096 + 2**14):
        return _likely("64 bits each, as of Prophesee cameras, without their header", _PROPHESEE)
    address, time = data.view(">u4").reshape(-1, 2).T.astype(np.int64)
    if _count_up(time) and _vary(address, 2**20):
        return _likely("64 bits each, as in AEDAT, without its header", "read it with tonic.io (Python) and")
    return None


def _likely(what: str, how: str) -> Foreign:
    return Foreign(f"what looks like events of {what}", f"{_REMEDY.format(how=how)}{_ANYWAY}", events=True, sure=False)


def _count_up(times: NDArray[np.int64]) -> bool:
    steps = np.diff(times)
    return bool((steps >= 0).all() and (steps > 0).sum() >= _LEAST // 2 and steps.max() < 2**22)


def _vary(places: NDArray[np.int64], most: int) -> bool:
    return int(places.max()) < most and len(np.unique(places)) >= 4
