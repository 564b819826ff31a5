"""The learner's process: loads the file, runs every case, writes what came out; it never sees an expected value."""

import contextlib
import os
import re
import runpy
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

import gradlab
from gradlab.learn.observe import observe, raised
from gradlab.learn.sandbox.guard import arm
from gradlab.learn.sandbox.layout import ANSWER, HOME, OUTPUT, PROBE, REQUEST, RESULT
from gradlab.learn.wire import WireError, pack, unpack

WATCHED: dict[str, Any] = {
    "torch": torch,
    "torch.Tensor": torch.Tensor,
    "torch.nn": torch.nn,
    "torch.nn.Module": torch.nn.Module,
    "torch.nn.functional": torch.nn.functional,
    "torch.autograd": torch.autograd,
    "torch.linalg": torch.linalg,
    "numpy": np,
}

BINARY = getattr(os, "O_BINARY", 0)
"""Windows would change every byte 10 of a file that is not opened with it"""


def run(folder: Path) -> NoReturn:
    """Runs the learner's file that lies in `folder` and ends the process.

    `result.bin` receives a message as soon as there is something to tell: `{"case": 0, "value": ..., "changed": ...}`
    a case, `{"file": {"raised": ...}}`, `{"missing": name}` or `{"stopped": reason}`; `{"done": True}` is the last.
    """
    request, _ = unpack((folder / REQUEST).read_bytes())
    probe = runpy.run_path(str(folder / PROBE))[request["probe"]] if request["probe"] else None
    result = os.open(folder / RESULT, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, 0o600)
    _redirect(folder)
    _limit(request["seconds"], request["memory"])

    def tell(message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            os.write(result, pack(message))

    def stop(reason: str) -> NoReturn:
        tell({"stopped": reason})
        os._exit(3)

    before = _attributes()
    os.chdir(folder / HOME)
    arm(folder / HOME, Path(gradlab.__file__).parent, stop)
    try:
        _run_cases(folder, request, probe, before, tell)
    except SystemExit:
        stop("calls exit, which ends Python")
    except BaseException as error:
        tell({"file": raised(error)})
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    tell({"done": True})
    os._exit(0)


def _run_cases(folder: Path, request: dict, probe: Any, before: dict, tell: Any) -> None:
    found = runpy.run_path(str(folder / ANSWER), run_name="answer")
    patched = _patched(before)
    if patched:
        tell({"stopped": f"replaces {patched}: the check needs torch and numpy as they are"})
        return
    for name in request["asks"]:
        if not callable(found.get(name)):
            tell({"missing": name})
            return
    for case, inputs in enumerate(request["cases"]):
        tell({"begun": case})
        outcome = observe(probe, [found[name] for name in request["asks"]], inputs)
        patched = _patched(before)
        if patched:
            tell({"stopped": f"replaces {patched}: the check needs torch and numpy as they are"})
            return
        try:
            tell({"case": case, **outcome})
        except WireError as error:
            tell({"case": case, "raised": "ValueError", "said": str(error), "line": 0})


def _redirect(folder: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(folder / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _limit(seconds: float, memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    processor = max(1, round(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000_000, 64_000_000))
    pages = Path("/proc/self/statm")
    if pages.exists():  # macOS does not hold a limit on address space
        most = int(pages.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _attributes() -> dict[tuple[str, str], Any]:
    return {
        (owner, name): value
        for owner, module in WATCHED.items()
        for name, value in vars(module).items()
        if name != "__slotnames__"  # Python's own note, made when an object is first copied or pickled
    }


def _patched(before: dict[tuple[str, str], Any]) -> str | None:
    """The first name of torch or numpy that stands for something else than before; torch's own private ones may."""
    now = _attributes()
    changed = [key for key, value in before.items() if now.get(key) is not value]
    changed += [key for key in now if key not in before and isinstance(WATCHED[key[0]], type)]
    return next((f"{owner}.{name}" for owner, name in changed if not re.match("_[a-z]", name)), None)
