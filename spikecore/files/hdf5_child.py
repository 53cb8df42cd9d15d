"""The program that touches HDF5, run as a process of its own: libhdf5 dies of some damaged files, and spins on others.

It needs nothing of this project. Requests come by standard input and answers leave by standard output: the length of
a JSON text in four bytes, the text, then as many raw bytes as its `bytes` says. It ends when its input does, and by
itself where a request takes longer than its `limit` in seconds. Arguments: where to look for libraries, and the bytes
of memory it may have where the system can tell (0: as many as there are).
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import sys
from importlib.util import find_spec
from itertools import count, pairwise
from typing import Any

if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv[1])  # it runs isolated, and finds libraries where its parent finds them
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads that nothing here uses would reserve memory

import h5py
import numpy as np
from h5py import h5a, h5l, h5z

_NAMES = 1000
_TEXT = 2**16
_ATTRIBUTES = 2**22

Answer = tuple[dict[str, Any], Any]


class Files:
    """The open files by number, and what is answered about them."""

    def __init__(self) -> None:
        self._open: dict[int, h5py.File] = {}
        self._last = 0

    def answer(self, request: dict[str, Any], data: bytearray) -> Answer:
        """The answer to a request, whose `do` is a method and whose `file` a number that `open` or `create` gave."""
        action = getattr(self, f"do_{request['do']}")
        if "file" not in request:
            return self._add(action(request["path"]))
        file = self._open[request["file"]]
        if request["do"] == "close":
            del self._open[request["file"]]
        result: Answer = action(file, request, data)
        return result

    def _add(self, file: h5py.File) -> Answer:
        self._last += 1
        self._open[self._last] = file
        return {"file": self._last}, b""

    def do_open(self, path: str) -> h5py.File:
        """A file for reading."""
        return h5py.File(path, "r", locking="best-effort")

    def do_create(self, path: str) -> h5py.File:
        """A new file."""
        return h5py.File(path, "w", libver=("v108", "v108"))  # the oldest whose headers have checksums

    def do_close(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """Close it, all that was written given to the system first."""
        if file.mode != "r":
            file.flush()
        file.close()
        return {}, b""

    def do_look(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """What lies under a name; links are not followed."""
        node: Any = file
        for part in _parts(request["name"]):
            if not isinstance(node, h5py.Group) or not node.id.links.exists(part.encode(errors="surrogateescape")):
                return {"kind": "nothing", "at": part}, b""
            if node.id.links.get_info(part.encode(errors="surrogateescape")).type != h5l.TYPE_HARD:
                return {"kind": "link", "at": part}, b""
            node = node[part]
        if isinstance(node, h5py.Dataset):
            return {"kind": "dataset", **_facts(node)}, b""
        return {"kind": "group" if isinstance(node, h5py.Group) else "data type"}, b""

    def do_names(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """The names of a group that are no links, at most so many, among its first."""
        found: list[str] = []
        group, seen = _node(file, request), count(1)

        def take(name: bytes, info: Any) -> bool | None:
            if info.type == h5l.TYPE_HARD:
                found.append(name.decode(errors="surrogateescape"))
            return True if next(seen) >= _NAMES or len(found) >= request["count"] else None

        group.id.links.iterate(take, info=True)
        return {"names": found}, b""

    def do_attributes(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """All attributes (of very many the first) in a row: what each is, and the bytes of those that have values."""
        node, names = _node(file, request), list[bytes]()

        def take(name: bytes, *_: Any) -> bool | None:
            names.append(name)
            return True if len(names) >= _NAMES else None

        h5a.iterate(node.id, take)
        found: dict[str, Any] = {}
        values = bytearray()
        for name in names:
            try:
                said, more = _attribute(node, name)
            except Exception as error:  # h5py knows no such type; others may be read all the same
                said, more = {"kind": "other", "text": f"{type(error).__name__}: {error}"}, b""
            if len(values) + len(more) > _ATTRIBUTES:
                said, more = {"kind": "other", "text": f"{len(more)} bytes"}, b""
            found[name.decode(errors="surrogateescape")] = {**said, "bytes": len(more)}
            values += more
        return {"attributes": found}, values

    def do_survey(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """How much of a data set is stored, and whether its pieces lie one beside another within the file."""
        dataset = _node(file, request)
        stored = dataset.id.get_storage_size()
        if dataset.chunks is None:
            claimed = dataset.size * dataset.id.get_type().get_size()
            wrong = f"{stored} bytes for values of {claimed}" if stored not in (0, claimed) else ""
            return {"stored": stored, "absent": int(claimed > 0 == stored), "damage": wrong}, b""
        pieces: list[tuple[int, int]] = []
        whole = math.prod(dataset.chunks) * dataset.dtype.itemsize
        all_filters, damage = (1 << dataset.id.get_create_plist().get_nfilters()) - 1, set()
        if any(most is not None and step > most for step, most in zip(dataset.chunks, dataset.maxshape, strict=True)):
            damage.add(f"chunks {dataset.chunks} larger than its shape {dataset.shape}")

        def take(chunk: Any) -> None:
            pieces.append((chunk.byte_offset, chunk.size))
            if any(
                at % step or at >= side
                for at, step, side in zip(chunk.chunk_offset, dataset.chunks, dataset.shape, strict=True)
            ):
                damage.add(f"a chunk at {chunk.chunk_offset}, outside its shape {dataset.shape}")
            skipped = chunk.filter_mask & all_filters == all_filters
            if (chunk.filter_mask and chunk.size < whole) or (skipped and chunk.size != whole):
                damage.add(f"a chunk of {chunk.size} bytes that should have {whole}")

        dataset.id.chunk_iter(take)
        pieces.sort()
        if any(start + size > after for (start, size), (after, _) in pairwise(pieces)):
            damage.add("chunks that lie in one another")
        if pieces and sum(pieces[-1]) > os.path.getsize(file.filename):
            damage.add("a chunk that lies beyond the end of the file")
        wanted = math.prod(-(-side // step) for side, step in zip(dataset.shape, dataset.chunks, strict=True))
        absent = wanted - len(pieces)
        if absent < 0:
            damage.add(f"{-absent} chunks too many")
        return {"stored": stored, "absent": absent, "damage": "; ".join(sorted(damage))}, b""

    def do_read(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """The values of rows `start` to `stop`, or the one value of a data set without rows."""
        dataset = _node(file, request)
        if "start" not in request:
            return {}, np.asarray(dataset[()], dataset.dtype).tobytes()
        start, stop = request["start"], request["stop"]
        values = np.empty((stop - start, *dataset.shape[1:]), dataset.dtype)
        if not values.size:
            return {}, b""
        if dataset.chunks is not None and not request.get("holes"):
            absent = _first_absent(dataset, start, stop)
            if absent is not None:
                return {"absent": absent}, b""
        dataset.read_direct(values, np.s_[start:stop])
        return {}, values.reshape(-1).view(np.uint8)

    def do_group(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """A new group."""
        file.create_group(request["name"])
        return {}, b""

    def do_dataset(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """A new data set, compressed and with checksums."""
        shape = tuple(request["shape"])
        limits = (None, *shape[1:]) if request["grows"] or not shape[0] else shape
        file.create_dataset(
            request["name"],
            shape,
            request["dtype"],
            maxshape=limits,
            chunks=tuple(request["chunks"]),
            compression=request["compression"],
            shuffle=request["shuffle"],
            fletcher32=True,
        )
        return {}, b""

    def do_write(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """Rows from `start` on; a data set that is too short grows."""
        dataset, start = file[request["name"]], request["start"]
        rows = np.frombuffer(data, dataset.dtype).reshape(-1, *dataset.shape[1:])
        if start + len(rows) > len(dataset):
            dataset.resize(start + len(rows), axis=0)
        dataset[start : start + len(rows)] = rows
        return {}, b""

    def do_texts(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """A new data set of texts."""
        file.create_dataset(request["name"], data=request["texts"], dtype=h5py.string_dtype())
        return {}, b""

    def do_describe(self, file: h5py.File, request: dict[str, Any], data: bytearray) -> Answer:
        """Attributes; texts of a fixed length, which cannot point at damage, where it is asked for."""
        for name, value in request["attributes"].items():
            if isinstance(value, str) and request["fixed"]:
                value = np.bytes_(value.encode())
            file[request["name"] or "/"].attrs[name] = value
        return {}, b""


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part]


def _node(file: h5py.File, request: dict[str, Any]) -> Any:
    return file[request["name"] or "/"]


def _first_absent(dataset: h5py.Dataset, start: int, stop: int) -> list[int] | None:
    """The first chunk of some rows that the index does not lead to, where zeros would be read."""
    steps = dataset.chunks
    first = start // steps[0]
    grid = (
        -(-stop // steps[0]) - first,
        *(-(-side // step) for side, step in zip(dataset.shape[1:], steps[1:], strict=True)),
    )
    for number in np.ndindex(*grid):
        at = ((first + number[0]) * steps[0], *(one * step for one, step in zip(number[1:], steps[1:], strict=True)))
        try:
            dataset.id.read_direct_chunk(at)
        except RuntimeError as error:
            if "storage size" in str(error):
                return list(at)
            raise
    return None


def _attribute(node: Any, name: bytes) -> Answer:
    """An attribute: its values, its text, or what else it is."""
    stored = h5a.open(node.id, name)
    if stored.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        return {"kind": "other", "text": "empty"}, b""
    if math.prod(stored.shape) * stored.get_type().get_size() > _TEXT:
        return {"kind": "other", "text": f"{stored.dtype} {stored.shape}"}, b""
    value = node.attrs[name.decode(errors="surrogateescape")]
    if isinstance(value, str):
        return {"kind": "text", "text": value[:_TEXT]}, b""
    if stored.dtype.kind not in "biufS":
        return {"kind": "other", "text": f"{stored.dtype} {stored.shape}"}, b""
    value = np.asarray(value, stored.dtype)
    return {"kind": "values", "dtype": stored.dtype.str, "shape": value.shape}, value.tobytes()


def _facts(dataset: h5py.Dataset) -> dict[str, Any]:
    dtype, shape = dataset.dtype, dataset.shape
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    if not all(map(h5z.filter_avail, codes)) and find_spec("hdf5plugin"):
        __import__("hdf5plugin")  # registers its decoders
    plain = shape is not None and dataset.chunks is None and not codes and dtype.kind in "biuf"
    return {
        "dtype": np.lib.format.dtype_to_descr(dtype) if not dtype.hasobject else "|O",
        "shape": shape,
        "chunks": dataset.chunks,
        "elsewhere": bool(dataset.external) or dataset.is_virtual,
        "absent": [code for code in codes if not h5z.filter_avail(code)],
        "at": dataset.id.get_offset() if plain and dataset.id.get_type().get_size() == dtype.itemsize else None,
    }


def _bound_memory(limit: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if limit and (hard == resource.RLIM_INFINITY or limit < hard):
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def main() -> None:
    """Answer requests until there are no more."""
    _bound_memory(int(sys.argv[2]))
    source: Any = sys.stdin.buffer
    sink, files = sys.stdout.buffer, Files()
    with open(os.devnull, "w") as nowhere:
        while len(length := source.read(4)) == 4:
            request = json.loads(source.read(int.from_bytes(length)))
            data = bytearray(request.get("bytes", 0))
            if source.readinto(data) < len(data):
                break
            if request.get("limit"):
                faulthandler.dump_traceback_later(request["limit"], exit=True, file=nowhere)
            try:
                said, values = files.answer(request, data)
            except Exception as error:  # the boundary: h5py raises a dozen kinds
                said, values = {"error": f"{type(error).__name__}: {error}"}, b""
            faulthandler.cancel_dump_traceback_later()
            text = json.dumps({**said, "bytes": len(values)}).encode()
            sink.write(len(text).to_bytes(4) + text)
            sink.write(values)
            sink.flush()
    os._exit(0)  # what is half written is not finished


if __name__ == "__main__":
    main()
