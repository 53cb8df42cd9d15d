"""Folders of recordings, with or without ground-truth pictures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from spikecore import Sample, SpikeFormatError, SpikeSource, UsageError, structure
from spikecore.files.boundary import refusing
from spikecore.files.names import natural
from spikecore.files.pictures import SUFFIXES, read_image
from spikecore_plugin_vidar.config import DatConfig, FolderConfig, Hdf5Config, NpyConfig, NpzConfig, converter
from spikecore_plugin_vidar.dat import Dat
from spikecore_plugin_vidar.hdf5 import Hdf5
from spikecore_plugin_vidar.npy import Npy
from spikecore_plugin_vidar.npz import Npz

_READERS: dict[str, tuple[type[SpikeSource], type]] = {
    ".dat": (Dat, DatConfig),
    ".raw": (Dat, DatConfig),
    ".bin": (Dat, DatConfig),
    ".npz": (Npz, NpzConfig),
    ".npy": (Npy, NpyConfig),
    ".h5": (Hdf5, Hdf5Config),
    ".hdf5": (Hdf5, Hdf5Config),
    ".mat": (Hdf5, Hdf5Config),
}
_FORWARDED = ("height", "width", "rate", "gain", "allow_truncated", "check")
_KEY_ID = re.compile(r"key_id(\d+)")


class Folder:
    """The recordings of a folder, in natural order of their names ("2.dat" before "10.dat").

    Layout of REDS-type sets: `<path>/spike/NAME.dat` with `<path>/gt/NAME.png`; for U-HSR: `pattern="*.npz"`,
    `spikes="."`, `targets=""`. Only names are read when the folder is opened.

    Args:
        config: See `FolderConfig`.

    Raises:
        SpikeFormatError: If there is no such folder, or nothing in it fits the pattern.
        ConfigError: If the options do not fit the reader of the files.
    """

    def __init__(self, config: FolderConfig) -> None:
        self.config = config
        self._root = config.path / config.spikes
        self._names = _list(self._root, config.pattern)
        self._options = _options(config, self._root, self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"{self._root} holds {len(self)} recordings, there is no number {index}")
        sample = self._open(index)[0]
        sample = attrs.evolve(sample, key=str(Path(self._names[index]).with_suffix("")))
        at = self._instant(sample)
        if not self.config.targets:
            return attrs.evolve(sample, at=at)
        return attrs.evolve(sample, at=at, target={"image": self._picture(sample)})

    def _open(self, index: int) -> SpikeSource:
        """The reader of a file; the geometry or axes are checked on the first file only, to save time."""
        path = self._root / self._names[index]
        reader, kind = _READERS[path.suffix.lower()]
        options = attrs.evolve(self._options[kind], path=path)
        if index:
            options = attrs.evolve(options, check=False)
        return reader(options)  # type: ignore[call-arg]  # every reader is constructed with its options

    def _instant(self, sample: Sample) -> float | None:
        """The frame the ground truth belongs to: the option, else from the name (counted from 1), else the reader's."""
        if self.config.at is not None:
            at: float | None = self.config.at
        else:
            found = _KEY_ID.search(sample.key)
            at = int(found[1]) - 1 if found else sample.at
        length = 0 if sample.spikes is None else len(sample.spikes)
        if at is not None and not 0 <= at < length:
            hint = "state the frame that the picture belongs to: at=N (--in at=N)"
            raise SpikeFormatError(self._root / sample.key, f"{length} frames", expected=f"a frame {at}", hint=hint)
        return at

    def _picture(self, sample: Sample) -> Any:
        path = self.config.path / self.config.targets / (sample.key + self.config.target_suffix)
        if not path.exists():
            hint = "for recordings without ground truth: targets='' (--in targets=)"
            other = next((one for one in SUFFIXES if (path.parent / (sample.key + one)).exists()), None)
            if other:
                hint = f"there is {sample.key}{other}: target_suffix={other!r} (--in target_suffix={other})"
            raise SpikeFormatError(path, "no such picture", expected=f"the ground truth of {sample.key}", hint=hint)
        if sample.spikes is None:
            raise UsageError(f"{sample.key} holds no spikes")
        return read_image(path, sample.spikes.shape[1:])[None]


def _list(root: Path, pattern: str) -> tuple[str, ...]:
    """Names of the recordings, relative to `root`, in natural order, without hidden (unfinished) files."""
    if not root.is_dir():
        hint = "where they lie in the folder itself: spikes='.' (--in spikes=.); else spikes='NAME'"
        raise SpikeFormatError(root, "no such folder", expected="a folder of recordings", hint=hint)
    with refusing(root, f"names that fit {pattern!r}"):
        found = (path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))
        names = sorted((str(path.relative_to(root)) for path in found), key=natural)
    if not names:
        hint = "name the files with pattern='*.npz' (--in pattern=*.npz), or their sub-folder with spikes='NAME'"
        raise SpikeFormatError(root, f"no files {pattern}", expected="recordings", hint=hint)
    strange = [name for name in names if Path(name).suffix.lower() not in _READERS]
    if strange:
        raise SpikeFormatError(root / strange[0], "no reader for it", expected=f"one of {', '.join(_READERS)}")
    _refuse_twins(root, names)
    return tuple(names)


def _options(config: FolderConfig, root: Path, names: Iterable[str]) -> dict[type, Any]:
    """The options of each reader that is needed, by their class, for the first of its files.

    Raises:
        ConfigError: If they do not fit the reader.
    """
    fields = attrs.fields_dict(FolderConfig)
    stated = {name: getattr(config, name) for name in _FORWARDED if getattr(config, name) != fields[name].default}
    given = stated | dict(config.reader)
    options: dict[type, Any] = {}
    for name in names:
        _, kind = _READERS[Path(name).suffix.lower()]
        if kind not in options:
            table = {**given, "path": str(root / name)}
            options[kind] = structure(converter(), table, kind, f"the reader of {name}")
    return options


def _refuse_twins(root: Path, names: Iterable[str]) -> None:
    stems = Counter(str(Path(name).with_suffix("")) for name in names)
    twins = [stem for stem, count in stems.items() if count > 1]
    if twins:
        hint = "a narrower pattern: pattern='*.dat' (--in pattern=*.dat)"
        raise SpikeFormatError(root, f"several recordings called {twins[0]!r}", expected="each name once", hint=hint)
