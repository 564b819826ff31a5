"""One forked process for each seed, one after another in waves that keep every core busy."""

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
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from gradlab.errors import GradlabError, InterruptedRunError
from gradlab.records import Row
from gradlab.training.learner import Training
from gradlab.training.loop import train
from gradlab.training.saver import start
from gradlab.training.signals import EXIT_CODES
from gradlab.training.solo import Solo
from gradlab.training.state import pack, unpack
from gradlab.training.task import Progress, Task

STOP_SECONDS = 60.0
"""How long a process may take to save and stop before it is killed."""
ROW, PROGRESS, DONE, STOPPED, FAILED = b"R", b"P", b"D", b"S", b"F"


def forking_works() -> bool:
    """Whether this system can fork a process that goes on using torch: Linux; not macOS, nor Windows."""
    return sys.platform == "linux"


def waves_of(seeds: int, cores: int) -> tuple[int, ...]:
    """How many one-thread processes run at a time, wave after wave: as many as cores, the last wave with what is left.

    A few more processes than cores share them fairly, so three seeds on two cores take 1.5 times one seed's time
    instead of twice, and every wave keeps all cores busy.
    """
    full, left = divmod(seeds, cores)
    return (*[cores] * (full - 1), cores + left) if full else (seeds,)


@dataclass(slots=True)
class _Child:
    seed: int
    process: Any
    connection: Any  # the receiving end of a pipe
    rows: deque[Row]
    outcome: bytes | None = None
    ended: bool = False


def train_in_processes(
    task: Task, seeds: Sequence[int], waves: Sequence[int], keep: Callable[[int, dict[str, Any], dict[str, Any]], None]
) -> Iterator[Row]:
    """Yields the rows of all seeds: wave by wave, within a wave epoch by epoch, within an epoch seed by seed.

    Args:
        task: what to train; forked processes read its tensors where they lie.
        seeds: one process each.
        waves: processes of each wave, as many in all as seeds.
        keep: is given (seed, weights, description) of each trained seed.

    Raises:
        InterruptedRunError: a signal asked to stop and every process has saved.
        GradlabError: a process failed or was killed.
    """
    rest = iter(seeds)
    for size in waves:
        children: list[_Child] = []
        try:
            for seed in itertools.islice(rest, size):
                children.append(_spawn(task, seed, [child.connection for child in children]))
            yield from _rows_in_order(task, children)
        finally:
            for child in children:
                child.process.join(timeout=0.1 if not child.ended else None)
                if child.process.is_alive():
                    child.process.kill()
                    child.process.join()
                child.connection.close()
        _raise_if_stopped(task, children)
        for child in children:
            assert child.outcome is not None
            keep(child.seed, *unpack(child.outcome))


def _spawn(task: Task, seed: int, earlier: list[Any]) -> _Child:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_work, args=(task, seed, sender, [receiver, *earlier], os.getpid()), name=f"{task.arm} seed {seed}"
    )
    with warnings.catch_warnings():
        # The child calls nothing that another thread may hold: it runs torch with threads of its own, as torch's own
        # DataLoader workers do.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    sender.close()
    return _Child(seed, process, receiver, deque())


def _rows_in_order(task: Task, children: list[_Child]) -> Iterator[Row]:
    """Yields rows as soon as every process of the wave has reached their epoch.

    Returns early where a process does not stop although it was asked to: it is killed then, and its newest save stays.
    """
    patience = None
    while True:
        open_ones = {child.connection: child for child in children if not child.ended}
        if task.place.stop.signal_number and patience is None:
            patience = time.monotonic() + STOP_SECONDS
        if patience is not None and time.monotonic() > patience:
            return
        for connection in wait(list(open_ones), timeout=1.0):
            _receive(task, open_ones[connection])  # pyright: ignore[reportArgumentType]
        while (epoch := _complete_epoch(children)) is not None:
            for child in children:
                while child.rows and child.rows[0]["epoch"] == epoch:
                    yield child.rows.popleft()
        if all(child.ended for child in children):
            return


def _complete_epoch(children: list[_Child]) -> int | None:
    """The earliest epoch of which no further row can come, or None."""
    heads = [int(child.rows[0]["epoch"] or 0) for child in children if child.rows]
    if not heads:
        return None
    earliest = min(heads)
    done = all(child.ended or (child.rows and int(child.rows[-1]["epoch"] or 0) > earliest) for child in children)
    return earliest if done else None


def _receive(task: Task, child: _Child) -> None:
    try:
        message = child.connection.recv_bytes()
    except EOFError:
        child.ended = True
        return
    kind, content = message[:1], message[1:]
    if kind == ROW:
        child.rows.append(json.loads(content))
    elif kind == PROGRESS:
        task.place.report(Progress(**json.loads(content)))
    else:
        child.outcome = message
        if kind == DONE:
            child.outcome = content
            child.ended = True
        else:
            child.ended = True


def _raise_if_stopped(task: Task, children: list[_Child]) -> None:
    if task.place.stop.signal_number:
        raise task.place.stop.error()
    for child in children:
        if child.outcome is None:
            code = child.process.exitcode
            cause = (
                f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with exit code {code}"
            )
            hint = " (out of memory?)" if code == -signal.SIGKILL else ""
            raise GradlabError(f"the process of seed {child.seed} {cause}{hint}; what it saved can be resumed")
    for child in children:
        assert child.outcome is not None
        if child.outcome[:1] == FAILED:
            raise _rebuilt(json.loads(child.outcome[1:]), child.seed)


def _rebuilt(failure: dict[str, Any], seed: int) -> GradlabError:
    error = GradlabError(f"seed {seed}: {failure['message']}")
    error.exit_code = failure["exit_code"]
    error.add_note(failure["traceback"])
    return error


def _work(task: Task, seed: int, connection: Connection, inherited: list[Any], parent: int) -> None:
    """The child: trains one seed and tells the parent; runs in a forked process only."""
    for reading_end in inherited:
        # A copy left open here would keep a pipe alive whose reader was killed, and its writer would wait for ever.
        reading_end.close()
    for number in EXIT_CODES:  # the parent hears these and sets the flag that this process reads
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(task.place.threads)

    def report(progress: Progress) -> None:
        if os.getppid() != parent:
            os._exit(1)  # nobody is left to listen; the newest save stays
        connection.send_bytes(PROGRESS + json.dumps(asdict(progress)).encode())

    try:
        connection.send_bytes(_outcome(replace(task, place=replace(task.place, report=report)), seed, connection))
    except InterruptedRunError as error:
        connection.send_bytes(STOPPED + json.dumps(str(error)).encode())
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:
        connection.send_bytes(FAILED + json.dumps(_failure(error)).encode())
    finally:
        connection.close()


def _outcome(task: Task, seed: int, connection: Connection) -> bytes:
    training = start(task, Solo(task, seed))
    for row in train(task, training):
        connection.send_bytes(ROW + json.dumps(row).encode())
    return DONE + pack(training.selected(0), description(training, 0))


def description(training: Training, replica: int) -> dict[str, Any]:
    """What is said of a trained replica beside its weights."""
    standing = training.standings[replica]
    return {
        "best_epoch": standing.best_epoch,
        "diverged": standing.diverged,
        "exact": training.exact,
        "seconds": training.seconds,
        "fingerprint": training.fingerprint,
        "identity": training.identity,
        "taken_from": training.taken_from,
    }


def _failure(error: Exception) -> dict[str, Any]:
    import traceback

    code = error.exit_code if isinstance(error, GradlabError) else GradlabError.exit_code
    message = str(error) if isinstance(error, GradlabError) else f"{type(error).__name__}: {error}"
    return {"message": message, "exit_code": code, "traceback": traceback.format_exc()}
