"""`fetch`: published datasets over the network, pinned by digest, placed whole or not at all."""

import contextlib
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from gradlab.data.archive import Progress, check_digest, unpack
from gradlab.data.places import ROOT_VARIABLE, data_root, find, missing
from gradlab.data.published import PUBLISHED, Content, Download, Published
from gradlab.data.stream import drain, open_content
from gradlab.errors import DataUnavailableError, FileError, GradlabError, unknown

OFFLINE_VARIABLE = "GRADLAB_OFFLINE"
TRIES = 4
PAUSES_SECONDS = (0.0, 1.0, 2.0, 4.0)
TIMEOUT_SECONDS = 30
# A server that sends far more than the published file would fill the disk before its digest could be compared.
MOST_OVER_SIZE = 1.1


class _WrongAnswerError(ValueError):
    """The server sent something that cannot be the file."""


def is_offline(offline: bool = False) -> bool:
    """Whether the network must not be used: by the argument or by `GRADLAB_OFFLINE` (0, false and no mean no)."""
    return offline or os.environ.get(OFFLINE_VARIABLE, "").lower() not in {"", "0", "false", "no"}


def fetch(
    name: str, *, root: str | Path | None = None, offline: bool = False, progress: Progress | None = None
) -> Path:
    """Makes sure that a published dataset lies whole under the data root, and returns that root.

    Files that are there and whole are left alone; missing and damaged ones are fetched, from the next mirror after a
    failure, in at most four tries a file. Archives are unpacked and removed.

    Args:
        name: such as "mnist"; "digits" comes with the package, so nothing is done.
        root: the data root; else `GRADLAB_DATA`, else the user's cache folder.
        offline: never use the network; `GRADLAB_OFFLINE=1` says the same.
        progress: called with a file's path, bytes done (0 before the first) and bytes in all, like `show_progress`.

    Raises:
        UsageError: no published dataset has this name.
        DataUnavailableError: offline and not complete, or every mirror failed; says which files to put where.
        FileError: the data root cannot be written, or is too small.
    """
    base = data_root(root)
    if name == "digits":
        return base
    if name not in PUBLISHED:
        raise unknown("dataset to fetch", name, ("digits", *PUBLISHED), where="gradlab data list")
    published = PUBLISHED[name]
    with _writing(base):
        if published.packed:
            _fetch_packed(published, base, offline=is_offline(offline), progress=progress)
        else:
            _fetch_single(published, base, offline=is_offline(offline), progress=progress)
    return base


def show_progress(path: str, done: int, total: int) -> None:
    """Prints a file's name and size on standard error before the first byte, then a percentage on a terminal."""
    if not done:
        sys.stderr.write(f"{path} ({total / 1e6:,.1f} MB)\n")
    elif sys.stderr.isatty():
        share = min(done / total, 1.0)
        sys.stderr.write(f"\r  {'█' * round(30 * share):<30} {100 * share:3.0f} %" + ("\n" if done >= total else ""))
    sys.stderr.flush()


def _fetch_single(published: Published, root: Path, *, offline: bool, progress: Progress | None) -> None:
    for content, download in zip(published.contents, published.downloads, strict=True):
        place = find(published, root, [content])
        if place is not None and _is_whole(place.files[content.name], content):
            continue
        if offline:
            raise missing(published, root, "offline")
        _download(published, download, root, progress)


def _fetch_packed(published: Published, root: Path, *, offline: bool, progress: Progress | None) -> None:
    place = find(published, root)
    if (
        place is not None
        and place.archive is None
        and all(_is_whole(place.files[content.name], content) for content in published.contents)
    ):
        return
    download = published.downloads[0]
    archive = root / download.path
    already = archive.is_file() and _has_digest(archive, download.digest)
    if not already:
        if offline:
            raise missing(published, root, "offline")
        _need_space(root, sum(content.size for content in published.contents))
        _download(published, download, root, progress)
    folder = root / published.folders[0]
    remedy = f"delete it and run `gradlab data fetch {published.name}`"
    unpack(archive, folder, published.contents, pinned=download.digest, remedy=remedy, progress=progress)
    # An archive that the user put there stays.
    if not already:
        archive.unlink()


def _download(published: Published, download: Download, root: Path, progress: Progress | None) -> None:
    """Fetches one file, mirror after mirror; wrong or partial content never takes the file's name."""
    import pooch
    import requests

    target = root / download.path
    target.parent.mkdir(parents=True, exist_ok=True)
    _need_space(root, download.size)
    reason = ""
    for attempt in range(TRIES):
        url = download.urls[attempt % len(download.urls)]
        time.sleep(PAUSES_SECONDS[attempt])
        try:
            with _quiet(pooch.get_logger()):
                # pooch's type for a downloader names its arguments otherwise than its own downloaders do.
                downloader: Any = _Downloader(download, progress)
                pooch.retrieve(url, download.digest, fname=target.name, path=target.parent, downloader=downloader)
        except (requests.RequestException, ValueError) as error:
            reason = f"{url}: {_reason(error)}"
        else:
            # The temporary file was for its owner only; a data root may be shared.
            target.chmod(0o644)
            return
    raise missing(published, root, f"{TRIES} tries to fetch {download.path} failed, the last from {reason}")


class _Downloader:
    """What pooch calls to fetch: its own HTTP downloader behind a guard over what comes."""

    def __init__(self, download: Download, progress: Progress | None) -> None:
        self._download = download
        self._progress = progress

    def __call__(self, url: str, output_file: str, pooch: object, check_only: bool | None = False) -> None:
        from pooch import HTTPDownloader

        with Path(output_file).open("wb") as file:
            guard: Any = _Guard(file, self._download, self._progress)
            HTTPDownloader(timeout=TIMEOUT_SECONDS)(url, guard, None)


class _Guard:
    """A file that refuses web pages and endless answers while they come, and tells the progress."""

    def __init__(self, file: IO[bytes], download: Download, progress: Progress | None) -> None:
        self._file = file
        self._download = download
        self._progress = progress or (lambda path, done, total: None)
        self._done = 0
        self._progress(download.path, 0, download.size)

    def write(self, chunk: bytes) -> None:
        if not self._done and chunk.lstrip()[:1] == b"<":
            raise _WrongAnswerError("a web page came instead of the file (does the network want a log-in?)")
        self._done += len(chunk)
        if self._done > self._download.size * MOST_OVER_SIZE + 1024:
            raise _WrongAnswerError(f"more than the file's {self._download.size:,} bytes came")
        self._file.write(chunk)
        self._progress(self._download.path, self._done, self._download.size)

    def flush(self) -> None:
        self._file.flush()


@contextlib.contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _writing(root: Path) -> Iterator[None]:
    try:
        yield
    except GradlabError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(
            f"cannot write under {root}: {reason}; choose another place with --data-root or {ROOT_VARIABLE}"
        ) from error


def _need_space(root: Path, needed: int) -> None:
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if free < needed:
        raise FileError(f"{root} has {free / 1e6:,.0f} MB free, {needed / 1e6:,.0f} MB are needed; free some space")


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_SECONDS} seconds"
    if isinstance(error, requests.ConnectionError):
        return "no connection, or it broke off"
    if isinstance(error, _WrongAnswerError):
        return str(error)
    if isinstance(error, ValueError) and "does not match" in str(error):
        return "the content is not the published one (wrong or incomplete)"
    return " ".join(str(error).split())


def _is_whole(path: Path, content: Content) -> bool:
    try:
        with open_content(path, pinned=content.digest) as source:
            for _ in drain(source, content.size):
                pass
    except DataUnavailableError:
        return False
    return True


def _has_digest(path: Path, digest: str) -> bool:
    try:
        check_digest(path, digest)
    except ValueError:
        return False
    return True
