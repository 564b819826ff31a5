"""What a forked process does: it trains the seeds that it is told, one after another, and tells what comes of them."""

import json
import os
import signal
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from typing import Any

import torch

from gradlab.errors import GradlabError, InterruptedRunError
from gradlab.training.learner import Training
from gradlab.training.loop import train
from gradlab.training.saver import start
from gradlab.training.signals import EXIT_CODES
from gradlab.training.solo import Solo
from gradlab.training.state import pack
from gradlab.training.task import Progress, Task

ROW, PROGRESS, WARNED, DONE, STOPPED, FAILED = b"R", b"P", b"W", b"D", b"S", b"F"
"""What a message to the parent is; its content follows. After `DONE` the worker waits for its next seed."""


def work(task: Task, seed: int, connection: Connection, inherited: Sequence[Any], parent: int) -> None:
    """The whole life of a worker; runs in a forked process only.

    Args:
        task: what to train.
        seed: the first one; the parent sends each further one as text, and closes the pipe when none is left.
        connection: the worker's end.
        inherited: the parent's ends. A copy left open here would keep a pipe alive whose reader was killed, and its
            writer would wait for ever.
        parent: its process number.
    """
    for reading_end in inherited:
        reading_end.close()
    for number in EXIT_CODES:  # the parent hears these and sets the flag that this process reads
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(task.place.threads)

    def report(progress: Progress) -> None:
        if os.getppid() != parent:
            os._exit(1)  # nobody is left to listen; the newest save stays
        connection.send_bytes(PROGRESS + json.dumps(asdict(progress)).encode())

    warnings.showwarning = _passing_on(connection, warnings.showwarning)
    try:
        told, coming = replace(task, place=replace(task.place, report=report)), seed
        while coming is not None:
            connection.send_bytes(DONE + _outcome(told, coming, connection))
            coming = _next_seed(connection)
    except InterruptedRunError as error:
        connection.send_bytes(STOPPED + json.dumps(str(error)).encode())
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:
        connection.send_bytes(FAILED + json.dumps(_failure(error)).encode())
    finally:
        connection.close()


def _passing_on(connection: Connection, show: Callable[..., None]) -> Callable[..., None]:
    """To be called instead of `show`: the parent hears the warnings of all processes, and can say equal ones once."""

    def pass_on(message: Warning | str, category: type[Warning], *where: Any, **further: Any) -> None:
        if issubclass(category, UserWarning):
            connection.send_bytes(WARNED + str(message).encode())
        else:
            show(message, category, *where, **further)

    return pass_on


def _next_seed(connection: Connection) -> int | None:
    """What the parent says; None where nothing is left to do, or nobody to do it for."""
    try:
        return int(connection.recv_bytes())
    except (EOFError, ConnectionResetError):
        return None


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


def _outcome(task: Task, seed: int, connection: Connection) -> bytes:
    training = start(task, Solo(task, seed))
    for row in train(task, training):
        connection.send_bytes(ROW + json.dumps(row).encode())
    return pack(training.selected(0), description(training, 0))


def _failure(error: Exception) -> dict[str, Any]:
    import traceback

    code = error.exit_code if isinstance(error, GradlabError) else GradlabError.exit_code
    message = str(error) if isinstance(error, GradlabError) else f"{type(error).__name__}: {error}"
    return {"message": message, "exit_code": code, "traceback": traceback.format_exc()}
