"""Mutation score of the rooms that a result rests on: `python -m tools.mutation_score`.

Draws small changes to the source, runs the tests of the changed file on a copy with one change each, and writes how
many were noticed to `results/mutation.json`. The working tree stays as it is.
"""

import argparse
import ast
import copy
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "results" / "mutation.json"
ROOMS = {
    "records": ["records/*.py"],
    "training state": ["training/state.py", "training/saver.py"],
    "stats": ["stats/*.py"],
    "learn checks": [f"learn/{name}.py" for name in ("judge", "compare", "generic", "observe", "wire", "extract")],
}
TESTED_BY = {
    "training/state.py": ["training/test_resume.py"],
    "training/saver.py": ["training/test_resume.py"],
}
"""Where no test mirrors a file."""
AHEAD = ("torch", "scipy.stats", "numpy", "hypothesis", "pytest", "PIL.Image", "safetensors.torch")
"""Imported once, before the forks."""
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
PATIENCE = 10
"""Seconds of processor time beyond five times what the unchanged source takes."""


def mutants(text: str) -> list[tuple[str, str]]:
    """Every change: what it is, with its line, and the changed source."""
    tree = ast.parse(text)
    silent = {id(inner) for node in ast.walk(tree) for outer in _annotations(node) for inner in ast.walk(outer)}
    found = []
    for place, node in enumerate(ast.walk(tree)):
        if id(node) not in silent:
            for told, change in _changes(node):
                changed = copy.deepcopy(tree)
                change(next(other for number, other in enumerate(ast.walk(changed)) if number == place))
                found.append((f"line {getattr(node, 'lineno', 0)}: {told}", ast.unparse(changed)))
    return found


def _annotations(node: ast.AST) -> list[ast.AST]:
    """Parts of a node that nothing runs, or that only say something to people."""
    parts = [getattr(node, name, None) for name in ("annotation", "returns")]
    if isinstance(node, ast.Raise):
        parts.append(node.exc)
    return [part for part in parts if part is not None]


def _changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What can be changed about a node: a few words, and what does it to a copy of the node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield f"{ast.unparse(node)} with {SWAPS[type(node.ops[0])].__name__}", _swap_comparison
    elif isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in SWAPS:
        yield f"{ast.unparse(node)} with {SWAPS[type(node.op)].__name__}", _swap_operator
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{ast.unparse(node)} without not", _without_not
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{not node.value} for {node.value}", _other_truth
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield f"{node.value + 1} for {node.value}", _one_more
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield f"None for {ast.unparse(node.value)[:60]}", _returns_none


def _swap_comparison(node: ast.Compare) -> None:
    node.ops[0] = SWAPS[type(node.ops[0])]()  # type: ignore[call-overload]


def _swap_operator(node: Any) -> None:
    node.op = SWAPS[type(node.op)]()


def _without_not(node: ast.UnaryOp) -> None:
    node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)


def _other_truth(node: ast.Constant) -> None:
    node.value = not node.value


def _one_more(node: Any) -> None:
    node.value += 1


def _returns_none(node: ast.Return) -> None:
    node.value = ast.Constant(None)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


class Copy:
    """A copy of the project whose sources may be changed; tests run in forks of this process."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for name in ("src", "tests"):
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, place / name)
        self._usual: dict[tuple[str, ...], float] = {}

    def trial(self, file: str, changed: str) -> str:
        """What the tests of a file say about a changed source: "killed", "timed out" or "survived".

        Raises:
            RuntimeError: the tests fail on the source as it is.
        """
        tests = tuple(tests_of(file))
        if tests not in self._usual:
            code, seconds = self._run(tests, 600.0)
            if code:
                raise RuntimeError(f"{tests} fail without a change: {code}")
            self._usual[tests] = seconds
        source = self.place / "src" / "gradlab" / file
        kept = source.read_text(encoding="utf-8")
        source.write_text(changed, encoding="utf-8")
        try:
            code, _ = self._run(tests, 5 * self._usual[tests] + PATIENCE)
        finally:
            source.write_text(kept, encoding="utf-8")
        return {0: "survived", -signal.SIGXCPU: "timed out", -signal.SIGKILL: "timed out"}.get(code, "killed")

    def _run(self, tests: tuple[str, ...], most_seconds: float) -> tuple[int, float]:
        """The exit code of the tests in a fork, and the processor time that they took."""
        pid = os.fork()
        if pid == 0:
            self._test(tests, most_seconds)
        deadline = time.monotonic() + 10 * most_seconds
        while True:
            found, status, used = os.wait4(pid, os.WNOHANG)
            if found:
                break
            if time.monotonic() > deadline:  # it waits for something
                os.killpg(pid, signal.SIGKILL)
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what it left behind
        return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime

    def _test(self, tests: tuple[str, ...], most_seconds: float) -> None:
        code = 70
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (round(most_seconds), round(most_seconds) + 1))
            os.chdir(self.place)
            os.environ["PYTHONPATH"] = str(self.place / "src")
            sys.path[:0] = [str(self.place / "src"), str(self.place)]
            nowhere = os.open(os.devnull, os.O_RDWR)
            for handle in (0, 1, 2):
                os.dup2(nowhere, handle)
            words = [
                "-x",
                "-p",
                "no:xdist",
                "-p",
                "no:cacheprovider",
                "-W",
                "ignore::pytest.PytestAssertRewriteWarning",
            ]
            words += [f"tests/{name}" for name in tests]
            code = int(importlib.import_module("pytest").main(words))
        finally:
            os._exit(code)


def tests_of(file: str) -> list[str]:
    """The files of tests that mirror a file of the package."""
    path = Path(file)
    return TESTED_BY.get(file, [str(path.with_name(f"test_{path.name}"))])


def drawn(patterns: list[str], count: int, chance: random.Random) -> list[tuple[str, str, str]]:
    """So many changes out of all of a room's files: file, what is changed, the changed source."""
    source = ROOT / "src" / "gradlab"
    files = sorted({path for pattern in patterns for path in source.glob(pattern) if path.name != "__init__.py"})
    every = [(path.relative_to(source).as_posix(), told, changed) for path in files
             for told, changed in mutants(path.read_text(encoding="utf-8"))]  # fmt: skip
    return chance.sample(every, min(count, len(every)))


def main() -> int:
    """Draws, tries and counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=25, help="of changes to try in each room [25]")
    parser.add_argument("--seed", type=int, default=0, help="of the draw [0]")
    parser.add_argument("--rooms", nargs="+", choices=list(ROOMS), default=list(ROOMS))
    options = parser.parse_args()
    for name in AHEAD:
        importlib.import_module(name)
    rooms = json.loads(RESULT.read_text())["rooms"] if RESULT.exists() else {}
    with tempfile.TemporaryDirectory(prefix="mutation-") as place:
        tried = Copy(Path(place))
        for room in options.rooms:
            rooms[room] = _score(tried, room, options.count, options.seed)
            RESULT.write_text(json.dumps({"schema": 1, "command": "python -m tools.mutation_score", "rooms": rooms},
                                         indent=2, ensure_ascii=False) + "\n", encoding="utf-8")  # fmt: skip
    return 0


def _score(tried: Copy, room: str, count: int, seed: int) -> dict[str, Any]:
    ends: dict[str, int] = {"killed": 0, "timed out": 0, "survived": 0}
    survivors = []
    for file, told, changed in drawn(ROOMS[room], count, random.Random(f"{room} {seed}")):
        end = tried.trial(file, changed)
        ends[end] += 1
        survivors += [f"{file}, {told}"] if end == "survived" else []
        print(f"{end:9}  {file}, {told}", flush=True)
    total = sum(ends.values())
    return {"seed": seed, "mutants": total, **ends, "score": round(1 - ends["survived"] / total, 3),
            "survivors": survivors}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
