from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from spikecore.errors import OutputError, UsageError
from spikecore.host import PluginHost
from spikecore.output import atomic, file_name, write_stream
from spikecore.quiet import without_lines
from spikecore.sinks import Target, open_sink

COUNT = 5
SCENE = {"height": 16, "width": 24, "length": 20}


def pictures(height=18, width=24, channels=None):
    rows, columns = np.mgrid[0:height, 0:width]
    ramp = ((rows + columns) / (height + width)).astype(np.float32)
    for number in range(COUNT):
        picture = np.clip(ramp * 0.8 + 0.02 * number, 0, 1)
        yield picture if channels is None else np.stack([picture, 1 - picture, picture * 0.5], -1)


def write(path, shown, count=COUNT, **options):
    sink = open_sink(Target(path, count, **options))
    for number, picture in enumerate(shown):
        sink.write(10 * number, picture)
    return sink


def read_video(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        more, frame = capture.read()
        if not more:
            return np.array(frames)
        frames.append(frame)


@pytest.mark.parametrize("bits", [8, 16])
def test_png_folder_holds_one_file_per_instant(tmp_path, bits):
    assert write(tmp_path / "out", pictures(), bits=bits).commit() == tmp_path / "out"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{10 * n:08d}.png" for n in range(COUNT)]
    top = 2**bits - 1
    for number, picture in enumerate(pictures()):
        read = cv2.imread(str(tmp_path / "out" / f"{10 * number:08d}.png"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(read, np.rint(picture * top))


def test_png_keeps_colours_in_order(tmp_path):
    picture = next(pictures(channels=3))
    write(tmp_path / "one.png", [picture], count=1).commit()
    read = cv2.cvtColor(cv2.imread(str(tmp_path / "one.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(read, np.rint(picture * 255))


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm"])
@pytest.mark.parametrize("size", [(18, 24), (17, 23)])
@pytest.mark.parametrize("channels", [None, 3])
def test_videos_hold_every_frame(tmp_path, suffix, size, channels):
    path = write(tmp_path / f"v{suffix}", pictures(*size, channels)).commit()
    frames = read_video(path)
    assert frames.shape == (COUNT, size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    for frame, picture in zip(frames, pictures(*size, channels), strict=True):
        seen = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)[: size[0], : size[1]]
        expected = picture if channels is None else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        assert np.abs(seen / 255 - expected).mean() < 0.02


def test_webm_is_written_without_a_word_and_others_are_heard(tmp_path, capfd):
    write(tmp_path / "v.webm", pictures()).commit()
    assert capfd.readouterr().err == ""
    with without_lines(b"a known"):
        os.write(2, b"a known line\nan unknown line\nno end")
    assert capfd.readouterr().err == "an unknown line\nno end"


def test_mp4_is_h264_with_its_index_first(tmp_path):
    import av

    path = write(tmp_path / "v.mp4", pictures()).commit()
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("channels", [None, 3])
def test_npy_is_exact(tmp_path, channels):
    path = write(tmp_path / "v.npy", pictures(channels=channels)).commit()
    assert np.array_equal(np.load(path, allow_pickle=False), np.array(list(pictures(channels=channels))))


def test_hdf5_is_exact_and_carries_its_recipe(tmp_path):
    path = write(tmp_path / "v.h5", pictures(), attributes={"recipe": "{}"}).commit()
    with h5py.File(path) as file:
        assert np.array_equal(file["images"][:], np.array(list(pictures())))
        assert file["instants"][:].tolist() == [0, 10, 20, 30, 40]
        assert file["images"].fletcher32
        assert file.attrs["recipe"] == "{}"


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".npy", ".h5"])
def test_an_interrupted_sink_keeps_what_is_finished_under_a_partial_name(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    path.write_text("an older result")
    shown = list(pictures())[:3]
    kept = write(path, shown).interrupt()
    assert kept == tmp_path / f"v.partial{suffix}"
    assert path.read_text() == "an older result"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([path.name, kept.name])
    if suffix == ".npy":
        assert np.array_equal(np.load(kept, allow_pickle=False), np.array(shown))
    elif suffix == ".h5":
        with h5py.File(kept) as file:
            assert np.array_equal(file["images"][:], np.array(shown))
    else:
        assert len(read_video(kept)) == 3


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".npy", ".h5", ".png"])
def test_nothing_is_left_of_a_sink_interrupted_at_once(tmp_path, suffix):
    count = 1 if suffix == ".png" else COUNT
    assert open_sink(Target(tmp_path / f"v{suffix}", count)).interrupt() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".npy", ".h5", ".png"])
def test_until_commit_nothing_has_the_final_name(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    count = 1 if suffix == ".png" else COUNT
    sink = write(path, list(pictures())[:count], count)
    assert not path.exists()
    sink.commit()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("v.gif", {}, "cannot write .gif"),
        ("v.png", {}, "cannot hold 5 images"),
        ("v.mp4", {"pictures": False}, "no pictures"),
        ("v", {"pictures": False}, "no pictures"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(tmp_path, name, options, message):
    with pytest.raises(UsageError, match=message):
        open_sink(Target(tmp_path / name, COUNT), **options)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".npy", ".h5"])
def test_a_missing_folder_is_named(tmp_path, suffix):
    with pytest.raises(OutputError, match="mkdir -p"):
        open_sink(Target(tmp_path / "none" / f"v{suffix}", COUNT))


def test_a_folder_in_the_way_is_named(tmp_path):
    (tmp_path / "v.npy").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        open_sink(Target(tmp_path / "v.npy", COUNT))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="folder cannot be made"):
        open_sink(Target(tmp_path / "file" / "sub", COUNT))


def test_an_unwritable_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="cannot be written to"):
        open_sink(Target(tmp_path / "v.npy", COUNT))


def test_mp4_without_pyav_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("spikecore.sinks.find_spec", lambda name: None)
    with pytest.raises(OutputError, match=r"spikecore\[video\].*webm"):
        open_sink(Target(tmp_path / "v.mp4", COUNT))


FULL_DISK = """
import signal, sys
import numpy as np
from spikecore.errors import OutputError
from spikecore.sinks import Target, open_sink
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
random = np.random.default_rng(0)
try:
    sink = open_sink(Target(Path(sys.argv[1]), 400))
    for n in range(400):
        sink.write(n, random.random((120, 160), np.float32))
    sink.commit()
except OutputError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("suffix", [".npy", ".h5", ".mp4", ".avi", ""])
def test_a_full_disk_is_reported_and_the_older_file_stays(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    if suffix:
        path.write_text("an older result")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (12_000 if not suffix else 300_000, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], preexec_fn=limit, capture_output=True, text=True, timeout=120
    )
    assert "refused:" in done.stdout, done.stdout + done.stderr
    assert str(path) in done.stdout
    if suffix:
        assert path.read_text() == "an older result"
        assert [p.name for p in tmp_path.iterdir()] == [path.name]
    else:
        assert list(path.iterdir()) == []


def test_atomic_removes_the_temporary_file_after_an_error(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("older")

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_turns_os_errors_into_output_errors(tmp_path):
    def fill():
        with atomic(Path(tmp_path / "a.txt")), open("/dev/full", "w") as full:
            full.write("x" * 10_000)

    with pytest.raises(OutputError, match="No space left"):
        fill()


@pytest.fixture
def recording(tmp_path):
    """A host, a stream, and the path of an older recording that has a companion file."""
    host = PluginHost.discover()
    stream = host.build(host.find("builtin/scene"), SCENE)[0].spikes
    write_stream(host, stream[:5], tmp_path / "a.dat", None, {})
    assert len(list(tmp_path.iterdir())) == 2
    return host, stream, tmp_path / "a.dat"


@pytest.mark.parametrize("file", [1, 2])
def test_a_recording_and_its_companion_are_written_both_or_not_at_all(recording, monkeypatch, file):
    host, stream, path = recording
    before = {one: one.read_bytes() for one in path.parent.iterdir()}
    fsync, seen = os.fsync, []

    def full(descriptor):
        seen.append(descriptor)
        if len(seen) == file:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"a\.dat could not be written: No space left"):
        write_stream(host, stream, path, None, {})
    assert {one: one.read_bytes() for one in path.parent.iterdir()} == before


def test_a_companion_never_describes_a_recording_that_is_not_there(recording, monkeypatch):
    host, stream, path = recording
    replaced = []
    replace = os.replace

    def note(source, target):
        replaced.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", note)
    write_stream(host, stream, path, None, {})
    assert replaced[0] == "a.dat"
    assert len(replaced) == 2


def test_different_keys_have_different_file_names():
    keys = ["a/b", "a_b", "a%2Fb", "a\\b", "..", ".", "a b", "ä"]
    made = [file_name(key) for key in keys]
    assert len(set(made)) == len(keys)
    assert all(Path(name).name == name and not name.startswith(".") for name in made)
