"""A process that has torch and nothing of the exercises; each request is run in a fork of it, milliseconds after."""

import contextlib
import importlib
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from gradlab.learn.sandbox.layout import ANSWER, OUTPUT
from gradlab.learn.sandbox.supervise import supervise

AHEAD = {"optim": "torch._dynamo", "matplotlib": "matplotlib.pyplot", "seaborn": "matplotlib.pyplot"}
"""Modules by a word that tells of them: torch's optimisers import theirs at their first use, which takes a second;
matplotlib writes its list of fonts, with another process, neither of which a learner's file may do."""


def serve() -> NoReturn:
    """Answers requests, a line each: `{"folder": ..., "seconds": ..., "printed": ...}`."""
    import torch

    from gradlab.learn.sandbox import child

    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, lambda *_arguments: sys.exit(0))  # ends the learner's process on the way out
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            _import_ahead(Path(request["folder"]))
            sys.stdout.write(json.dumps(_fork(request, child)) + "\n")
            sys.stdout.flush()
    except SystemExit:
        pass
    os._exit(0)  # taking torch apart in order takes longer than a check


def once(folder: str) -> None:
    """Runs one request in this very process: where there is no fork."""
    import torch

    from gradlab.learn.sandbox import child

    torch.set_num_threads(1)
    _import_ahead(Path(folder))
    child.run(Path(folder))


def _import_ahead(folder: Path) -> None:
    """Imports what a learner's file is going to use, where the first import costs more than a file is given."""
    source = (folder / ANSWER).read_text(encoding="utf-8")
    for word, module in AHEAD.items():
        if re.search(rf"\b{word}\b", source):
            with contextlib.suppress(ImportError):
                importlib.import_module(module)


def _fork(request: dict[str, Any], child: Any) -> str:
    folder = Path(request["folder"])
    learner = os.fork()
    if learner == 0:
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            child.run(folder)
        finally:
            os._exit(70)

    def ended() -> int | None:
        found, status = os.waitpid(learner, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if found else None

    def kill() -> None:
        for end in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                end(learner, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(learner, 0)

    return supervise(ended, kill, folder / OUTPUT, seconds=request["seconds"], printed=request["printed"])
