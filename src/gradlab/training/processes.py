"""Forked processes that keep every core busy: each trains one seed, and then the next that nobody has begun."""

import contextlib
import itertools
import json
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

from gradlab.errors import GradlabError
from gradlab.records import Row
from gradlab.training.state import unpack
from gradlab.training.task import Progress, Task
from gradlab.training.worker import DONE, FAILED, PROGRESS, ROW, WARNED, work

STOP_SECONDS = 60.0
"""How long a process may take to save and stop before it is killed."""


def forking_works() -> bool:
    """Whether this system can fork a process that goes on using torch: Linux; not macOS, nor Windows."""
    return sys.platform == "linux"


def waves_of(seeds: int, cores: int) -> tuple[int, ...]:
    """How many seeds are trained at a time, wave after wave: as many as cores, the last wave with what is left.

    A few more processes than cores share them fairly, so three seeds on two cores take 1.5 times one seed's time
    instead of twice, and every wave keeps all cores busy. A process that is done with a seed of one wave goes on with
    one of the next.
    """
    full, left = divmod(seeds, cores)
    return (*[cores] * (full - 1), cores + left) if full else (seeds,)


@dataclass(slots=True)
class _Replica:
    """A seed, and what was heard of it."""

    seed: int
    rows: deque[Row] = field(default_factory=deque)
    ended: bool = False
    outcome: bytes | None = None
    """The last message about it; None also where its process ended without a word."""
    exit_code: int | None = None
    """Of a process that ended without a word."""


@dataclass(slots=True)
class _Worker:
    process: Any
    connection: Any  # the parent's end of a pipe
    replica: _Replica
    dismissed: bool = False


def train_in_processes(
    task: Task, seeds: Sequence[int], waves: Sequence[int], keep: Callable[[int, dict[str, Any], dict[str, Any]], None]
) -> Iterator[Row]:
    """Yields the rows of all seeds: wave by wave, within a wave epoch by epoch, within an epoch seed by seed.

    Args:
        task: what to train; forked processes read its tensors where they lie.
        seeds: each is trained by one process, which may train others after it.
        waves: seeds of each wave, as many in all as seeds.
        keep: is given (seed, weights, description) of each trained seed.

    Raises:
        InterruptedRunError: a signal asked to stop and every process has saved.
        GradlabError: a process failed or was killed.
    """
    replicas = [_Replica(seed) for seed in seeds]
    crew, rest = _Crew(task, replicas, waves), iter(replicas)
    try:
        for size in waves:
            wave = list(itertools.islice(rest, size))
            yield from crew.rows_of(wave)
            _raise_if_stopped(task, wave)
            for replica in wave:
                assert replica.outcome is not None
                keep(replica.seed, *unpack(replica.outcome[len(DONE) :]))
                replica.outcome = None  # weights that nobody reads again
    finally:
        crew.disband()


class _Crew:
    """The processes at work: one a core, and in the end one more for each seed that is left over; see `waves_of`."""

    def __init__(self, task: Task, replicas: Sequence[_Replica], waves: Sequence[int]) -> None:
        self._task, self._cores, self._left_over = task, waves[0], waves[-1] - waves[0]
        self._waiting = deque(replicas)
        self._workers: list[_Worker] = []
        self._failed = False
        self._patience: float | None = None

    def rows_of(self, wave: Sequence[_Replica]) -> Iterator[Row]:
        """Yields rows as soon as every replica of the wave has reached their epoch.

        Asked to stop, or after a failure, it returns when nobody works any more: a process may be at a seed of the next
        wave, and must save. It returns early where one does not stop although it was asked to.
        """
        while not self._is_out_of_patience():
            self._hire()
            busy = {worker.connection: worker for worker in self._workers if not worker.dismissed}
            for connection in wait(list(busy), timeout=1.0) if busy else ():
                self._receive(busy[connection])  # pyright: ignore[reportArgumentType]
            while (epoch := _complete_epoch(wave)) is not None:
                for replica in wave:
                    while replica.rows and replica.rows[0]["epoch"] == epoch:
                        yield replica.rows.popleft()
            ending = self._failed or self._task.place.stop.signal_number
            if not busy or (all(replica.ended for replica in wave) and not ending):
                return

    def disband(self) -> None:
        """Waits for the processes that are done and kills the others."""
        for worker in self._workers:
            worker.process.join(timeout=None if worker.dismissed else 0.1)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.connection.close()

    def _hire(self) -> None:
        """Starts processes for as many of the waiting seeds as may be trained now: the last ones beside the others."""
        working = sum(not worker.dismissed for worker in self._workers)
        while self._may_begin() and (working < self._cores or len(self._waiting) <= self._left_over):
            earlier = [worker.connection for worker in self._workers]
            self._workers.append(_spawn(self._task, self._waiting.popleft(), earlier))
            working += 1

    def _may_begin(self) -> bool:
        """Whether a seed waits, and nothing speaks against beginning with it."""
        return bool(self._waiting) and not self._failed and not self._task.place.stop.signal_number

    def _is_out_of_patience(self) -> bool:
        if self._task.place.stop.signal_number and self._patience is None:
            self._patience = time.monotonic() + STOP_SECONDS
        return self._patience is not None and time.monotonic() > self._patience

    def _receive(self, worker: _Worker) -> None:
        replica = worker.replica
        try:
            message = worker.connection.recv_bytes()
        except (EOFError, OSError):  # it ended, perhaps within a message
            worker.process.join()
            replica.ended, replica.exit_code = True, worker.process.exitcode
            worker.dismissed = self._failed = True
            return
        kind, content = message[:1], message[1:]
        if kind == ROW:
            replica.rows.append(json.loads(content))
        elif kind == PROGRESS:
            self._task.place.report(Progress(**json.loads(content)))
        elif kind == WARNED:
            warnings.warn(content.decode(), stacklevel=2)
        else:
            replica.outcome, replica.ended = message, True
            self._failed |= kind != DONE
            self._give_next(worker)

    def _give_next(self, worker: _Worker) -> None:
        """A process that is done with a seed gets the next one, or is told by the pipe's end that there is none."""
        if self._may_begin():
            worker.replica = self._waiting.popleft()
            with contextlib.suppress(OSError):  # it was killed just now, as its pipe will tell
                worker.connection.send_bytes(str(worker.replica.seed).encode())
        else:
            worker.connection.close()
            worker.dismissed = True


def _spawn(task: Task, replica: _Replica, earlier: list[Any]) -> _Worker:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=work, args=(task, replica.seed, theirs, [ours, *earlier], os.getpid()), name=f"training {task.arm}"
    )
    with warnings.catch_warnings():
        # The child calls nothing that another thread may hold: it runs torch with threads of its own, as torch's own
        # DataLoader workers do.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    theirs.close()
    return _Worker(process, ours, replica)


def _complete_epoch(wave: Sequence[_Replica]) -> int | None:
    """The earliest epoch of which no further row can come, or None."""
    heads = [int(replica.rows[0]["epoch"] or 0) for replica in wave if replica.rows]
    if not heads:
        return None
    earliest = min(heads)
    done = all(replica.ended or (replica.rows and int(replica.rows[-1]["epoch"] or 0) > earliest) for replica in wave)
    return earliest if done else None


def _raise_if_stopped(task: Task, wave: Sequence[_Replica]) -> None:
    if task.place.stop.signal_number:
        raise task.place.stop.error()
    for replica in wave:
        if replica.ended and replica.outcome is None:
            code = replica.exit_code
            cause = (
                f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with exit code {code}"
            )
            hint = " (out of memory?)" if code == -signal.SIGKILL else ""
            raise GradlabError(f"the process of seed {replica.seed} {cause}{hint}; what it saved can be resumed")
    for replica in wave:
        if replica.outcome is not None and replica.outcome[:1] == FAILED:
            raise _rebuilt(json.loads(replica.outcome[1:]), replica.seed)


def _rebuilt(failure: dict[str, Any], seed: int) -> GradlabError:
    error = GradlabError(f"seed {seed}: {failure['message']}")
    error.exit_code = failure["exit_code"]
    error.add_note(failure["traceback"])
    return error
