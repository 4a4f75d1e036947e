"""Where data files are found, and how missing ones are downloaded (from a server in this process)."""

import functools
import gzip
import hashlib
import http.server
import socket
import threading
import time
from pathlib import Path

import pooch
import pytest

from minigrad.vision import files
from minigrad.vision.files import (
    ChecksumError,
    DatasetNotFoundError,
    Published,
    Source,
    cache_folder,
    data_folders,
    fetch,
    locate,
)

CONTENT = {f"{name}.gz": gzip.compress(name.encode() * 1000, mtime=0) for name in ("images", "labels")}
SOURCE = Source(
    "Toys",
    tuple(Published(name, hashlib.sha256(content).hexdigest()) for name, content in CONTENT.items()),
    ("toys", "TOYS/raw"),
    ("http://127.0.0.1:1/",),
)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; under ``/cut/`` only half of a file, `cuts` times; notes what was asked for."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path.startswith("/cut/") and self.server.cuts > 0:
            self.server.cuts -= 1
            content = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    for folder in ("good", "cut", "wrong", "empty"):
        (tmp_path / "server" / folder).mkdir(parents=True)
    for name, content in CONTENT.items():
        (tmp_path / "server/good" / name).write_bytes(content)
        (tmp_path / "server/cut" / name).write_bytes(content)
        (tmp_path / "server/wrong" / name).write_bytes(content[:-1] + b"x")
    handler = functools.partial(Handler, directory=tmp_path / "server")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked, server.cuts = [], 0
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def put(folder, contents=CONTENT):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def everything_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


PLAIN = {name.removesuffix(".gz"): gzip.decompress(content) for name, content in CONTENT.items()}


class TestFinding:
    @pytest.mark.parametrize("layout", ["toys", "TOYS/raw", "."])
    @pytest.mark.parametrize("contents", [CONTENT, PLAIN], ids=["gz", "plain"])
    def test_layouts(self, home, layout, contents):
        put(home / "data" / layout, contents)
        found = fetch(SOURCE, home / "data")
        assert {name: path.read_bytes() for name, path in found.items()} == dict(
            zip(CONTENT, contents.values(), strict=True)
        )

    def test_order_of_folders(self, home, monkeypatch):
        def first():
            return data_folders()[0]

        assert first() == Path("data")
        monkeypatch.setenv("MINIGRAD_DATA_DIR", str(home / "from_env"))
        assert first() == home / "from_env"
        assert data_folders(home / "given")[0] == home / "given"
        assert data_folders("~/given")[0] == home / "home/given"
        assert data_folders()[1:] == [cache_folder()]

    def test_each_folder_is_used(self, home, monkeypatch):
        put(home / "cache/minigrad/toys")
        assert fetch(SOURCE)["labels.gz"].is_relative_to(home / "cache")
        put(home / "work/data/toys")
        assert fetch(SOURCE)["labels.gz"] == Path("data/toys/labels.gz")
        put(home / "from_env/toys")
        monkeypatch.setenv("MINIGRAD_DATA_DIR", str(home / "from_env"))
        assert fetch(SOURCE)["labels.gz"].is_relative_to(home / "from_env")
        put(home / "given/toys")
        assert fetch(SOURCE, home / "given")["labels.gz"].is_relative_to(home / "given")

    def test_the_cache_is_where_pooch_has_it(self):
        assert cache_folder() == pooch.os_cache("minigrad")

    def test_missing_files_name_every_place(self, home):
        put(home / "here/toys", {"labels.gz": b""})
        with pytest.raises(DatasetNotFoundError) as caught:
            fetch(SOURCE, home / "here")
        message = str(caught.value)
        assert isinstance(caught.value, RuntimeError)
        assert "Toys: no images.gz (nor without .gz)" in message
        for place in ("here/toys", "here/TOYS/raw", "here\n", "cache/minigrad (there is no such folder)"):
            assert str(home / place) in message
        assert message.endswith("You can use download=True to download it")

    def test_files_without_a_server_say_what_to_do(self, home):
        with pytest.raises(DatasetNotFoundError, match="No public server has it: put the files into"):
            fetch(files.COURSE_MNIST, home / "here", download=True)

    @pytest.mark.parametrize("download", [False, True])
    def test_a_wrong_checksum_is_an_error_and_the_file_stays(self, home, server, download):
        put(home / "here/toys", {**CONTENT, "labels.gz": b"something else"})
        with pytest.raises(ChecksumError) as caught:
            fetch(SOURCE, home / "here", download=download, mirrors=[f"{server.url}/good/"])
        message = str(caught.value)
        for part in (
            str(home / "here/toys/labels.gz"),
            f"found sha256 {hashlib.sha256(b'something else').hexdigest()}",
            f"expected {SOURCE.files[1].sha256}",
            "delete it",
        ):
            assert part in message
        assert (home / "here/toys/labels.gz").read_bytes() == b"something else"
        assert server.asked == []

    def test_only_files_that_will_be_read_are_checked(self, home):
        put(home / "here/toys", {**CONTENT, "labels.gz": b"something else"})
        assert len(fetch(SOURCE, home / "here", ["images.gz"])) == 2

    @pytest.mark.parametrize("zipped", [True, False])
    def test_files_of_another_data_set_are_passed_over(self, home, monkeypatch, zipped):
        """MNIST and Fashion-MNIST have the same file names: right in the folder they could be either."""
        others = {name: gzip.compress(b"other" + content, mtime=0) for name, content in PLAIN.items()}

        def digest(content):
            return hashlib.sha256(content).hexdigest()

        other = Source(
            "Others",
            tuple(
                Published(f"{name}.gz", digest(content), digest(gzip.decompress(content)))
                for name, content in others.items()
            ),
            ("others",),
        )
        monkeypatch.setattr(files, "SOURCES", (SOURCE, other))
        put(
            home / "here",
            {f"{name}.gz" if zipped else name: c if zipped else gzip.decompress(c) for name, c in others.items()},
        )
        assert locate(SOURCE, home / "here") == {}
        assert len(fetch(other, home / "here")) == 2


class TestDownloading:
    def test_missing_files_are_downloaded_once(self, home, server):
        put(home / "here/TOYS/raw", {"images.gz": CONTENT["images.gz"]})
        for _ in range(2):
            found = fetch(SOURCE, home / "here", download=True, mirrors=[f"{server.url}/good"])
            assert found["images.gz"] == home / "here/TOYS/raw/images.gz"
            assert found["labels.gz"] == home / "here/toys/labels.gz"
        assert server.asked == ["/good/labels.gz"]
        assert found["labels.gz"].read_bytes() == CONTENT["labels.gz"]
        assert found["labels.gz"].stat().st_mode & 0o444 == 0o444
        assert everything_below(home / "here") == ["TOYS/raw/images.gz", "toys/labels.gz"]

    def test_the_second_mirror_is_used(self, home, server):
        mirrors = ["http://127.0.0.1:1/", f"{server.url}/empty/", f"{server.url}/good/"]
        fetch(SOURCE, home / "here", download=True, mirrors=mirrors, retries=0)
        assert everything_below(home / "here") == ["toys/images.gz", "toys/labels.gz"]

    @pytest.mark.parametrize(("folder", "said"), [("wrong", "does not match the known hash"), ("cut", "")])
    def test_wrong_content_leaves_nothing_behind(self, home, server, folder, said):
        server.cuts = 9
        with pytest.raises(DatasetNotFoundError, match=rf"Error downloading images.gz:\n  .*/{folder}/: .*{said}"):
            fetch(SOURCE, home / "here", download=True, mirrors=[f"{server.url}/{folder}/"], retries=0)
        assert everything_below(home / "here") == []
        assert server.asked == [f"/{folder}/images.gz"]

    def test_wrong_content_is_made_good_by_the_next_mirror(self, home, server):
        mirrors = [f"{server.url}/wrong/", f"{server.url}/good/"]
        found = fetch(SOURCE, home / "here", download=True, mirrors=mirrors, retries=0)
        assert found["images.gz"].read_bytes() == CONTENT["images.gz"]

    def test_a_truncated_download_is_tried_again(self, home, server, monkeypatch):
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        server.cuts = 2
        fetch(SOURCE, home / "here", download=True, mirrors=[f"{server.url}/cut/"])
        assert server.asked == ["/cut/images.gz"] * 3 + ["/cut/labels.gz"]
        assert everything_below(home / "here") == ["toys/images.gz", "toys/labels.gz"]

    def test_where_the_folder_cannot_be_written_the_cache_is_used(self, home, server):
        (home / "here").write_text("a file, so nothing can be put in it")
        found = fetch(SOURCE, home / "here", download=True, mirrors=[f"{server.url}/good/"])
        assert found["images.gz"] == home / "cache/minigrad/toys/images.gz"
        assert fetch(SOURCE, home / "here") == found

    def test_nowhere_to_write(self, home, server):
        for name in ("here", "cache"):
            (home / name).write_text("in the way")
        with pytest.raises(DatasetNotFoundError, match="no folder to put it in can be written to") as caught:
            fetch(SOURCE, home / "here", download=True, mirrors=[f"{server.url}/good/"])
        assert str(home / "here") in str(caught.value)
        assert str(home / "cache/minigrad") in str(caught.value)

    def test_a_default_data_folder_is_used_but_not_made(self, home, server):
        mirrors = [f"{server.url}/good/"]
        assert fetch(SOURCE, download=True, mirrors=mirrors)["images.gz"].is_relative_to(home / "cache")
        assert not (home / "work/data").exists()
        (home / "cache/minigrad/toys/images.gz").unlink()
        (home / "work/data").mkdir()
        assert fetch(SOURCE, download=True, mirrors=mirrors)["images.gz"].is_relative_to("data")

    def test_without_a_network_the_error_comes_soon(self, home, monkeypatch):
        def unknown(*_, **__):
            raise socket.gaierror(-3, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        start = time.monotonic()
        with pytest.raises(
            DatasetNotFoundError, match=r"(?s)http://a\.test/: the server cannot be reached.*http://b.test/: the server"
        ):
            fetch(SOURCE, home / "here", download=True, mirrors=["http://a.test/", "http://b.test/"])
        assert time.monotonic() - start < 3
        assert everything_below(home / "here") == []

    def test_a_hanging_name_server_does_not_hold_us(self, home, monkeypatch):
        answer = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer.wait(30) and [])
        start = time.monotonic()
        try:
            with pytest.raises(DatasetNotFoundError, match=r"no answer within 0\.1 s"):
                fetch(SOURCE, home / "here", download=True, mirrors=["http://a.test/"], timeout=0.1)
            assert time.monotonic() - start < 3
        finally:
            answer.set()

    def test_without_pooch_one_line_says_how_to_get_it(self, home, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "pooch", None)
        with pytest.raises(DatasetNotFoundError, match=r"pooch is not installed: pip install 'minigrad-numpy\[data\]'"):
            fetch(SOURCE, home / "here", download=True)

    def test_an_interrupted_download_leaves_no_file(self, home, server, monkeypatch):
        def interrupt(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(pooch.core.shutil, "move", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch(SOURCE, home / "here", download=True, mirrors=[f"{server.url}/good/"])
        assert everything_below(home / "here") == []


@pytest.mark.parametrize("source", [files.MNIST, files.FASHION_MNIST], ids=lambda source: source.title)
def test_the_published_checksums(source, real_data):
    """Run with the real files: both columns of the table are right."""
    folder = real_data / source.folders[0]
    for file in source.files:
        if (path := folder / file.name).is_file():
            content = path.read_bytes()
            assert hashlib.sha256(content).hexdigest() == file.sha256
            assert hashlib.sha256(gzip.decompress(content)).hexdigest() == file.unpacked_sha256
