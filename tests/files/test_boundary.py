"""Files are looked at before they are opened, and every failure becomes one exception that names the file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore import OutputError, SpikeFormatError, UsageError
from spikecore.files.boundary import file_size, first_bytes, local, refusing

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64
LOOKS = [file_size, first_bytes]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "night.dat"


@pytest.fixture(params=LOOKS, ids=["file_size", "first_bytes"])
def refuses(request):
    """refuses(path, message): both ways to look at a file refuse it, naming it and what was expected."""

    def refuses(path, message):
        with pytest.raises(SpikeFormatError, match=message) as caught:
            request.param(path, "a recording")
        assert str(caught.value).startswith(f"{path}: ")
        return str(caught.value)

    return refuses


def test_size_and_first_bytes(path):
    data = bytes(range(256)) * 4
    path.write_bytes(data)
    assert file_size(path, "a recording") == 1024
    assert first_bytes(path, "a recording") == data[:512]
    path.write_bytes(b"\x01")
    assert first_bytes(path, "a recording") == b"\x01"


def test_links_to_files_are_followed(path, tmp_path):
    (tmp_path / "real").write_bytes(b"1234")
    path.symlink_to(tmp_path / "real")
    assert file_size(path, "a recording") == 4


def test_missing(refuses, path, tmp_path):
    assert "expected a recording" in refuses(path, "no such file")
    path.symlink_to(tmp_path / "nowhere")
    refuses(path, "no such file")
    refuses(Path("a\0b"), "cannot be opened")
    refuses(Path("x" * 300), "cannot be opened: File name too long")


def test_empty(refuses, path):
    path.touch()
    refuses(path, "empty file")


def test_pipe_is_never_opened(refuses, path):
    os.mkfifo(path)
    refuses(path, "a named pipe")


def test_device(refuses, path):
    path.symlink_to("/dev/zero")
    refuses(path, "a device")


def test_socket(refuses, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        refuses(tmp_path / "s", "a socket")


@pytest.mark.parametrize("look", LOOKS)
def test_folder_says_what_to_do(look, tmp_path):
    with pytest.raises(SpikeFormatError, match=r"a folder; expected a recording\n  give its files"):
        look(tmp_path, "a recording", "give its files")
    with pytest.raises(SpikeFormatError, match=r"a folder; expected a recording$"):
        look(tmp_path, "a recording")


def test_the_advice_for_folders_is_for_folders_only(path):
    os.mkfifo(path)
    with pytest.raises(SpikeFormatError, match=r"a named pipe; expected a recording$"):
        file_size(path, "a recording", "give its files")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (LFS, "Git LFS pointer(.|\n)*git lfs pull --include night.dat"),
        (b"<!DOCTYPE html><html>404</html>", "web page(.|\n)*fetch the file again"),
        (b"\n\t<HTML>", "web page"),
        (b"\xef\xbb\xbf<html></html>", "web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "web page"),
    ],
)
def test_stand_ins(refuses, path, data, message):
    path.write_bytes(data)
    refuses(path, message)


def test_files_that_may_not_be_read(refuses, path, monkeypatch):
    path.write_bytes(b"1234")

    def denied(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", denied)
    refuses(path, "cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("spk"), "cannot be read: KeyError: 'spk'"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error;"),
        (OSError("bad chunk"), "cannot be read: OSError: bad chunk"),
        (MemoryError(), "cannot be read: MemoryError"),
    ],
)
def test_whatever_a_parser_raises_names_the_file(path, error, message):
    with pytest.raises(SpikeFormatError, match=message) as caught, refusing(path, "a recording", "fetch it again"):
        raise error
    assert str(caught.value).endswith("; expected a recording\n  fetch it again")
    assert caught.value.__cause__ is error


def test_our_own_errors_and_interruptions_pass(path):
    for error in (OutputError("full"), SpikeFormatError("other.dat", "cut"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, refusing(path, "a recording"):
            raise error
        assert caught.value is error


@pytest.mark.parametrize("text", ["http://127.0.0.1/a.mp4", "rtsp://camera/a", "concat:/a|b", "file:/etc/passwd"])
def test_addresses_are_not_followed(text):
    with pytest.raises(UsageError, match="is an address; fetch the file first"):
        local(Path(text))


@pytest.mark.parametrize("name", ["a%d.png", "a%03d.png", "%5i.png"])
def test_numbered_patterns_are_not_followed(name):
    with pytest.raises(UsageError, match="is a numbered pattern; give the folder that holds the images, clips"):
        local(Path("clips") / name)


def test_local_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert local(Path("clip 100%.mp4")) == tmp_path / "clip 100%.mp4"
    odd = tmp_path / "night:"
    odd.mkdir()
    (odd / "a.mp4").touch()
    assert local(Path("night:/a.mp4")) == odd / "a.mp4"


@given(st.binary(min_size=1, max_size=600))
def test_any_bytes_are_given_as_they_are(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.dat"
    path.write_bytes(data)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"v", b"V"):
        return  # a web page, perhaps
    assert file_size(path, "a recording") == len(data)
    assert first_bytes(path, "a recording") == data[:512]
