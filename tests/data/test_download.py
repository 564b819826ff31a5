import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pooch
import pytest

from gradlab.data import download, fetch, load, loading, show_progress
from gradlab.data.download import is_offline
from gradlab.errors import DataUnavailableError, FileError, UsageError
from tests.data.builders import put, tiny_cifar, tiny_mnist

PORTAL = b"<!DOCTYPE html><html><title>Welcome, please log in</title></html>"


@dataclass
class Server:
    """A server on this machine: what it sends, how it misbehaves per request, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    base: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            state.asked.append(self.path)
            fault = state.faults.pop(0) if state.faults else ""
            if self.path.endswith("portal"):
                return self.answer(200, PORTAL)
            content = state.files.get(self.path.rpartition("/")[2])
            if content is None or fault == "404":
                return self.answer(404, b"gone")
            if fault == "503":
                return self.answer(503, b"busy")
            if fault == "redirect":
                return self.answer(302, b"", location="/portal")
            if fault == "drop":
                return self.connection.close()
            wrong = {
                "wrong": bytes(len(content)),
                "html": PORTAL,
                "empty": b"",
                "huge": content * 3 + bytes(5000),
                "short": content[:-1],
                "flip": content[:-1] + bytes([content[-1] ^ 1]),
            }
            # "cut" promises everything and closes the line halfway.
            sent = content[: len(content) // 2] if fault == "cut" else wrong.get(fault, content)
            return self.answer(200, sent, length=len(content) if fault == "cut" else len(sent))

        def answer(self, code, content, *, location="", length=None):
            self.send_response(code)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.base = f"http://127.0.0.1:{listening.server_address[1]}/"
        yield state
        listening.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(download, "PAUSES_SECONDS", (0, 0, 0, 0))


def know(monkeypatch, published):
    for module in (download, loading):
        monkeypatch.setattr(module, "PUBLISHED", {published.name: published})


@pytest.fixture
def mnist(server, monkeypatch) -> dict[str, bytes]:
    published, files = tiny_mnist(server.base)
    know(monkeypatch, published)
    server.files = files
    return files


@pytest.fixture
def cifar(server, monkeypatch) -> dict[str, bytes]:
    published, files, archive = tiny_cifar(server.base)
    know(monkeypatch, published)
    server.files = {"cifar-10-binary.tar.gz": archive}
    return files


def under(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_files_arrive_and_load_fetches_them(server, mnist, tmp_path):
    splits = load("mnist", root=tmp_path)
    assert len(splits.train) == 32
    assert under(tmp_path) == {f"mnist/{name}": content for name, content in mnist.items()}
    assert fetch("mnist", root=tmp_path) == tmp_path
    assert len(server.asked) == 4, "a second fetch asks for nothing"


def test_an_archive_is_unpacked_and_removed(server, cifar, tmp_path):
    fetch("cifar10", root=tmp_path)
    assert under(tmp_path) == {f"cifar-10-batches-bin/{name}": content for name, content in cifar.items()}
    assert len(load("cifar10", root=tmp_path, offline=True).train) == 50
    fetch("cifar10", root=tmp_path)
    assert len(server.asked) == 1


def test_an_archive_that_was_put_there_is_unpacked_offline_and_kept(server, cifar, tmp_path):
    put(tmp_path, server.files)
    fetch("cifar10", root=tmp_path, offline=True)
    assert under(tmp_path) == {f"cifar-10-batches-bin/{n}": c for n, c in cifar.items()} | server.files
    assert not server.asked


@pytest.mark.parametrize(
    "fault", ["503", "404", "wrong", "html", "redirect", "empty", "huge", "short", "flip", "cut", "drop"]
)
def test_a_fault_that_stays_leaves_nothing_behind(server, mnist, tmp_path, fault):
    server.faults = [fault] * 99
    with pytest.raises(
        DataUnavailableError, match=r"mnist is not under .*4 tries to fetch mnist/train-images.* failed, the last"
    ):
        fetch("mnist", root=tmp_path)
    assert under(tmp_path) == {}
    assert len([path for path in server.asked if path != "/portal"]) == 4


@pytest.mark.parametrize("fault", ["503", "wrong", "html", "redirect", "huge", "short", "cut", "drop"])
def test_a_fault_that_passes_is_retried(server, mnist, tmp_path, fault):
    server.faults = [fault]
    fetch("mnist", root=tmp_path)
    assert under(tmp_path) == {f"mnist/{name}": content for name, content in mnist.items()}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("503", "503 Server Error"),
        ("html", "a web page came instead of the file"),
        ("redirect", "a web page came instead of the file"),
        ("drop", "no connection, or it broke off"),
        ("wrong", "the content is not the published one"),
        ("huge", r"more than the file's [\d,]+ bytes came"),
    ],
)
def test_the_reason_is_told_in_one_line(server, mnist, tmp_path, fault, reason):
    server.faults = [fault] * 99
    with pytest.raises(DataUnavailableError, match=reason) as caught:
        fetch("mnist", root=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up(mnist, monkeypatch, tmp_path):
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        published, _ = tiny_mnist(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        know(monkeypatch, published)
        with pytest.raises(DataUnavailableError, match=r"no answer within 0\.05 seconds"):
            fetch("mnist", root=tmp_path)


def test_mirrors_take_turns(server, monkeypatch, tmp_path):
    published, files = tiny_mnist(server.base)
    turned = [
        download.Download(file.path, file.size, file.digest, (f"{server.base}bad/{index}", *file.urls))
        for index, file in enumerate(published.downloads)
    ]
    object.__setattr__(published, "downloads", tuple(turned))
    know(monkeypatch, published)
    server.files = files
    fetch("mnist", root=tmp_path)
    assert [path for path in server.asked if "bad" in path] == [f"/bad/{index}" for index in range(4)]
    assert len(server.asked) == 8


def test_a_damaged_file_is_replaced_and_a_good_one_left(server, mnist, tmp_path):
    fetch("mnist", root=tmp_path)
    names = list(mnist)
    (tmp_path / "mnist" / names[1]).write_bytes(mnist[names[1]][:-3])
    fetch("mnist", root=tmp_path)
    assert under(tmp_path) == {f"mnist/{name}": content for name, content in mnist.items()}
    assert server.asked[4:] == [f"/{names[1]}"]


def test_a_damaged_plain_file_does_not_hide_the_new_one(server, mnist, tmp_path):
    put(tmp_path / "mnist", {name.removesuffix(".gz"): b"spoilt" for name in mnist})
    fetch("mnist", root=tmp_path)
    assert len(load("mnist", root=tmp_path, offline=True).train) == 32


def test_a_failed_replacement_keeps_the_damaged_file_and_the_others(server, mnist, tmp_path):
    fetch("mnist", root=tmp_path)
    names = list(mnist)
    (tmp_path / "mnist" / names[2]).write_bytes(b"spoilt")
    server.faults = ["wrong"] * 4
    with pytest.raises(DataUnavailableError, match="4 tries"):
        fetch("mnist", root=tmp_path)
    assert under(tmp_path) == {f"mnist/{name}": content for name, content in mnist.items()} | {
        f"mnist/{names[2]}": b"spoilt"
    }


@pytest.mark.parametrize("by_variable", [True, False])
def test_offline_asks_nobody_and_says_what_to_put_where(server, mnist, tmp_path, monkeypatch, by_variable):
    if by_variable:
        monkeypatch.setenv("GRADLAB_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match=r"\(offline\).*put mnist/train-images-idx3-ubyte.gz, .* under"):
        load("mnist", root=tmp_path, offline=not by_variable)
    assert not server.asked


def test_offline_with_everything_there_is_fine(mnist, tmp_path):
    put(tmp_path / "mnist", mnist)
    assert fetch("mnist", root=tmp_path, offline=True) == tmp_path


@pytest.mark.parametrize(
    ("value", "offline"), [("", False), ("0", False), ("no", False), ("False", False), ("1", True), ("yes", True)]
)
def test_is_offline(monkeypatch, value, offline):
    monkeypatch.setenv("GRADLAB_OFFLINE", value)
    assert is_offline() is offline
    assert is_offline(offline=True)


def test_a_root_that_cannot_be_written_is_named(mnist, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=rf"cannot write under {tmp_path}/file/data: .*--data-root or GRADLAB_DATA"):
        fetch("mnist", root=tmp_path / "file" / "data")


def test_a_full_disk_is_noticed_before_the_first_byte(server, cifar, tmp_path, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(FileError, match=r"has 0 MB free, 0 MB are needed"):
        fetch("cifar10", root=tmp_path)
    assert not server.asked


def test_progress_starts_at_zero_and_ends_at_the_size(mnist, tmp_path):
    told = []
    fetch("mnist", root=tmp_path, progress=lambda *step: told.append(step))
    for name, content in mnist.items():
        steps = [done for path, done, _ in told if path == f"mnist/{name}"]
        assert (steps[0], steps[-1]) == (0, len(content))
        assert steps == sorted(steps)


def test_nothing_is_printed_and_poochs_log_level_is_put_back(mnist, tmp_path, capfd):
    before = pooch.get_logger().level
    fetch("mnist", root=tmp_path)
    assert pooch.get_logger().level == before
    assert capfd.readouterr() == ("", "")


def test_show_progress_prints_one_plain_line_without_a_terminal(capsys):
    for done in (0, 500_000, 1_500_000):
        show_progress("mnist/a.gz", done, 1_500_000)
    assert capsys.readouterr().err == "mnist/a.gz (1.5 MB)\n"


def test_fetched_files_can_be_read_by_others(mnist, tmp_path):
    fetch("mnist", root=tmp_path)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "mnist").iterdir()} == {0o644}


def test_names():
    assert fetch("digits", root="/nowhere") == Path("/nowhere")
    with pytest.raises(UsageError, match="unknown dataset to fetch 'mnits': did you mean 'mnist'"):
        fetch("mnits")
