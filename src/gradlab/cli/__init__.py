"""The command line: finds the verb, parses its flags without torch, turns errors into one line and an exit code."""

import errno
import importlib
import sys
import warnings
from collections.abc import Sequence

from gradlab import __version__
from gradlab.errors import GradlabError, InterruptedRunError, unknown

VERBS = {
    "list": "what can be run: every experiment with its question",
    "run": "run an experiment and report it",
    "resume": "go on with a run that was interrupted, or add seeds to a finished one",
    "report": "write the report of one or more runs again",
    "compare": "hold two runs beside each other, seed by seed",
    "summary": "a network layer by layer: sizes, parameters, operations, memory",
    "explain": "what autograd, a network or a trained network does, step by step",
    "predict": "what a run's networks say about pictures",
    "data": "datasets: list, fetch, show",
    "learn": "exercises: start, check, hint, next, status, solution, grade",
    "doctor": "check this machine: versions, threads, disk",
}
MODULES = {"list": "listing"}
EXIT_CODES = (
    "exit codes: 0 done, 1 a check failed, 2 usage, 69 data not available, 70 bug in gradlab, 74 input or output "
    "failed, 75 stopped but resumable, 130 and 143 interrupted (state saved)"
)

BARRED = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EIO})
"""Why a system refuses a path that somebody named, even to say whether it is there; no bug, whoever asked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        return _dispatch(words)
    except (GradlabError, InterruptedRunError) as error:
        return _failed(str(error), error.exit_code, error, debug=debug)
    except KeyboardInterrupt as error:
        return _failed("interrupted", 130, error, debug=debug)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; saying so would fail as well
        return 74
    except MemoryError as error:
        return _failed("out of memory: use fewer seeds at a time or a smaller batch", 74, error, debug=debug)
    except Exception as error:
        return _failed(*_unforeseen(error), error, debug=debug)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"gradlab {__version__}")
        return 0
    if words[0] not in VERBS:
        raise unknown("command", words[0], VERBS, where="gradlab --help")
    module = importlib.import_module(f"gradlab.cli.{MODULES.get(words[0], words[0])}")
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_rest, **_more: print(f"warning: {message}", file=sys.stderr)
        return module.main(words[1:])


def _overview() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {verb.ljust(width)}  {what}" for verb, what in VERBS.items()]
    return "\n".join(
        [
            "usage: gradlab COMMAND [...]",
            "",
            "Deep-learning experiments on images: many seeds, honest statistics, exact resume, a report worth reading.",
            "",
            *lines,
            "",
            "gradlab COMMAND --help shows a command's flags; --json and --debug work with every command.",
            EXIT_CODES,
        ]
    )


def _unforeseen(error: Exception) -> tuple[str, int]:
    """What to say of an error that no command expects, and the exit code."""
    if isinstance(error, OSError) and error.filename is not None and error.errno in BARRED:
        return f"cannot use {error.filename}: {error.strerror}", 74
    return f"bug in gradlab: {type(error).__name__}: {error}; run again with --debug and report it", 70


def _failed(message: str, code: int, error: BaseException, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    print(f"gradlab: {' '.join(message.split())}", file=sys.stderr)
    return code
