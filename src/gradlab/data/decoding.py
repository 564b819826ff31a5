"""Worker processes that decode image files ahead of whoever reads them, in the order in which they are read."""

import mmap
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.data.decode import Framing, read_picture
from gradlab.errors import DataUnavailableError, GradlabError
from gradlab.records.environment import available_cores

AHEAD = 4
"""Batches that are decoded, or being decoded, before they are asked for."""
UNSTOPPED = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))
"""What a scheduler sends to every process: the training saves first, and then ends its workers itself."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureFiles:
    """Image files, each decoded to one square of bytes.

    Args:
        paths: bytes [files], in one block of memory: a list of objects would be copied into every worker.
        side: height and width of the decoded images.
        channels: 3, or 1 if every image is grey.
        workers: processes that decode; None takes one a core.
        framing: how the images are made square.
    """

    paths: np.ndarray
    side: int
    channels: int = 3
    workers: int | None = None
    framing: Framing = "crop"

    @classmethod
    def of(cls, paths: Sequence[Path], side: int, framing: Framing = "crop") -> "PictureFiles":
        """The files at these paths."""
        return cls(np.array([os.fsencode(path) for path in paths]), side, framing=framing)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every decoded image."""
        return self.channels, self.side, self.side

    def grey(self) -> "PictureFiles":
        """The same files, of which one channel is read."""
        return replace(self, channels=1)

    def read(self, rows: np.ndarray, into: np.ndarray) -> None:
        """Writes the images of some files, uint8 [rows, channels, side, side].

        Raises:
            DataUnavailableError: one cannot be read.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # decoders warn about odd metadata that does not touch the pixels
            for row, image in zip(rows, into, strict=True):
                picture = read_picture(os.fsdecode(bytes(self.paths[row])), self.side, self.framing)
                image[:] = picture.transpose(2, 0, 1)[: self.channels]


def decoded(files: PictureFiles, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yields the images of each batch of rows, uint8 [rows, channels, side, side].

    Every worker has its share of every batch. Memory holds `AHEAD` batches, whatever the number of files. The workers
    end with the iterator, and with this process however it ends.

    Args:
        files: what to decode.
        batches: rows of `files`, int64 [rows] each.

    Raises:
        DataUnavailableError: a file cannot be read; it is named.
        GradlabError: a worker was killed.
    """
    count = min(files.workers or available_cores(), max((len(rows) for rows in batches), default=1))
    if count == 1 or sys.platform != "linux":  # elsewhere a process that has started threads cannot be forked
        for rows in batches:
            images = np.empty((len(rows), *files.shape), np.uint8)
            files.read(rows, images)
            yield images
        return
    largest = max(len(rows) for rows in batches) * int(np.prod(files.shape))
    room = mmap.mmap(-1, min(AHEAD, len(batches)) * largest)
    workers: list[_Worker] = []
    ending = Finalize(None, _end, args=(workers,), exitpriority=1)  # before the interpreter waits for its children
    try:
        for number in range(count):
            workers.append(_start(files, batches, room, (number, count), [worker.connection for worker in workers]))
        for turn in range(len(batches)):
            yield _received(workers, files, batches, room, turn)
    finally:
        ending()


@dataclass(slots=True)
class _Worker:
    process: Any
    connection: Any  # both ends of it send and receive


def _slot(files: PictureFiles, batches: Sequence[np.ndarray], room: mmap.mmap, turn: int) -> np.ndarray:
    """Where the images of a batch are written, and read by whoever asked for them."""
    slots = min(AHEAD, len(batches))
    shape = (len(batches[turn]), *files.shape)
    start = turn % slots * (len(room) // slots)
    return np.frombuffer(room, np.uint8, int(np.prod(shape)), start).reshape(shape)


def _start(
    files: PictureFiles, batches: Sequence[np.ndarray], room: mmap.mmap, place: tuple[int, int], earlier: list[Any]
) -> _Worker:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_work, args=(files, batches, room, place, theirs, [ours, *earlier]), name=f"decoder {place[0]}"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child calls nothing that another thread may hold
        process.start()
    theirs.close()
    for _ in range(min(AHEAD, len(batches))):
        ours.send_bytes(b"")  # one message for each batch that may be decoded
    return _Worker(process, ours)


def _received(
    workers: list[_Worker], files: PictureFiles, batches: Sequence[np.ndarray], room: mmap.mmap, turn: int
) -> np.ndarray:
    for worker in workers:
        try:
            problem = worker.connection.recv_bytes()
        except (EOFError, ConnectionResetError):
            worker.process.join()
            raise GradlabError(
                f"a process that decodes images ended with code {worker.process.exitcode} (out of memory?); "
                "what was saved can be resumed"
            ) from None
        if problem:
            raise DataUnavailableError(problem.decode())
    images = _slot(files, batches, room, turn).copy()
    if turn + AHEAD < len(batches):
        for worker in workers:
            worker.connection.send_bytes(b"")
    return images


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.process.kill()  # it holds nothing that must be put back
    for worker in workers:
        worker.process.join()
        worker.connection.close()


def _work(
    files: PictureFiles, batches: Sequence[np.ndarray], room: mmap.mmap, place: tuple[int, int],
    connection: Connection, inherited: list[Connection],
) -> None:  # fmt: skip
    """The worker: decodes its share of each batch as soon as there is room; runs in a forked process only."""
    for end in inherited:  # a copy left open here would keep a worker waiting whose reader was killed
        end.close()
    for number in UNSTOPPED:
        signal.signal(number, signal.SIG_IGN)
    first, step = place
    try:
        for turn, rows in enumerate(batches):
            connection.recv_bytes()
            files.read(rows[first::step], _slot(files, batches, room, turn)[first::step])
            connection.send_bytes(b"")
        connection.recv_bytes()  # until the reader ends this process: its exit would look like a failure
    except (EOFError, OSError):
        os._exit(0)  # the reader has gone
    except DataUnavailableError as error:
        connection.send_bytes(str(error).encode())
        connection.recv_bytes()
