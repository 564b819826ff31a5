"""Runs a user's own Python file and explains one of its variables."""

import contextlib
import runpy
import sys
from pathlib import Path
from typing import Any

from gradlab.errors import FileError, UsageError, unknown


def explain_file(target: str, *, jacobian: bool) -> Any:
    """The explanation of `FILE.py:NAME`; the file runs as a program does, and what it prints goes to standard error.

    Raises:
        FileError: there is no such file.
        UsageError: the file fails, or has no such variable, or the variable has no graph.
    """
    import torch

    from gradlab.explain import Tape, explain

    path, name = split_target(target)
    if path.suffix != ".py":
        raise UsageError(f"`gradlab explain FILE.py:NAME` takes a Python file: got '{target}'")
    if not path.is_file():
        raise FileError(f"there is no file {path}: `gradlab explain FILE.py:NAME` runs a Python file of yours")
    tape = Tape(str(path))
    variables = _run(path, tape)
    tensors = {key: value for key, value in variables.items() if isinstance(value, torch.Tensor)}
    graphs = [key for key, value in tensors.items() if value.grad_fn is not None]
    if not name:
        known = f"one of {', '.join(graphs)}" if graphs else "a tensor computed from one with requires_grad=True"
        raise UsageError(f"say which variable of {path} to explain, as {path}:NAME: {known}")
    if name not in variables:
        raise unknown(f"variable of {path}", name, graphs or tensors or ["no tensor at all"])
    if name not in tensors:
        raise UsageError(f"{name} in {path} is no tensor but {_article(type(variables[name]).__name__)}")
    named = {key: value for key, value in variables.items() if not key.startswith("__")}
    return explain(tensors[name], names=named, tape=tape, name=name, jacobian=jacobian)


def split_target(target: str) -> tuple[Path, str]:
    """The file and the variable of "FILE.py:NAME"; the variable is "" where none is named."""
    if target.endswith(".py"):
        return Path(target), ""
    file, _colon, name = target.rpartition(":")
    return Path(file), name


def _run(path: Path, tape: Any) -> dict[str, Any]:
    import torch

    kept_arguments, kept_path, recording = sys.argv, list(sys.path), torch.is_grad_enabled()
    sys.argv, sys.path[:] = [str(path)], [str(path.parent.resolve()), *sys.path]
    try:
        with contextlib.redirect_stdout(sys.stderr), tape:
            return runpy.run_path(str(path), run_name="__main__")
    except SystemExit as error:
        raise UsageError(f"{path} ended itself (exit code {error.code}): leave out sys.exit() to explain it") from error
    except Exception as error:
        line = _line(error, path)
        where = f" in line {line}" if line else ""
        raise UsageError(f"{path} fails{where}: {type(error).__name__}: {error}") from error
    finally:
        sys.argv, sys.path[:] = kept_arguments, kept_path
        torch.set_grad_enabled(recording)


def _line(error: Exception, path: Path) -> int | None:
    """The last line of the file on the way to the error."""
    if isinstance(error, SyntaxError):
        return error.lineno
    found, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            found = step.tb_lineno
        step = step.tb_next
    return found


def _article(name: str) -> str:
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"
