"""What learners hand in, as parsers: their Python files, notebooks and progress, and what their processes answer.

A file that no process runs is judged by a stand-in for the workshop; a small share is run, each in its own process.
"""

import functools
import io
import json
import random
import tokenize
from pathlib import Path
from typing import Any
from unittest import mock

from gradlab.learn.exercise import Exercise, exercise
from gradlab.learn.judge import judge_source
from gradlab.learn.learner import STATE, LearnerFolder, read_source
from gradlab.learn.notebook import source_from_notebook
from gradlab.learn.observe import observe, plain
from gradlab.learn.sandbox import Limits, Report, Workshop, workshop
from gradlab.learn.verdict import PASSED, STOPPED, UNWRITTEN, WRONG, Verdict
from gradlab.learn.wire import WireError, pack
from tests.reliability.mutations import mutated, other_json
from tests.reliability.parsers import Parser

LIMITS = Limits(seconds=1.0, wall=20.0, memory=300_000_000, printed=200_000)
RUN_SHARE = 0.01
"""of the inputs of other parsers: each of these costs a process"""
NAMES = ("softmax", "attention_block", "sgd_momentum")
TOKENS = ("(", ")", "[", ":", "\n", "\\\n", "    ", "\t", "def softmax(x):", "return", "yield", "await x", "lambda: 0",
          "class softmax:", "from torch import *", "import *", "x", "x.T", "-1", "0", "1e999", "9" * 5000, "0x", "1_0",
          "None", "...", "*x", "**x", ":=", "@", "#", '"', "'''", 'f"{x!r:{x}}"', "\0", "\ufeff", "é", "\u202e", "ﬁ",
          "# -*- coding: utf-7 -*-\n", "while True: pass", "raise SystemExit", "print('x' * 10**6)", "del softmax",
          "global softmax", "nonlocal x", "match x:\n  case _: pass", "(" * 300, "-" * 3000, "x" * 5000)  # fmt: skip


class Canned(Workshop):
    """A workshop that runs nothing: its report is that of a process which left these bytes."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__(LIMITS)
        self._content = content

    def run(self, *_arguments: Any, **_more: Any) -> Report:
        """The report."""
        return Report(messages=tuple(workshop._messages(self._content)), how="ended 0", printed="")


def learner_parsers(place: Path, working: Workshop) -> list[Parser]:
    """All of them, at work in a folder of their own."""
    folder = place / "learner"
    folder.mkdir()
    sources = [(name, exercise(name).outline.solution()) for name in NAMES]
    samples = tuple(source.encode() for _, source in sources)

    def read_file(content: bytes) -> str | None:
        return _unjudged(_judged(content, folder / "answer.py", Canned()))

    def run_file(content: bytes) -> str | None:
        with mock.patch("tempfile.tempdir", str(folder)):
            verdict = _judged(content, folder / "answer.py", working)
        left = [path.name for path in folder.iterdir() if path.name.startswith("gradlab-learn-")]
        return f"left {left}" if left else _unsound(verdict)

    def read_notebook(content: bytes) -> str | None:
        path = folder / "answer.ipynb"
        path.write_bytes(content)
        asked = exercise(NAMES[0])
        source = source_from_notebook(read_source(path), asked.outline.asks, where=path.name)
        return _unjudged(judge_source(asked, source, Canned()))

    def read_progress(content: bytes) -> str | None:
        (folder / STATE).write_bytes(content)
        done = LearnerFolder(folder).progress(NAMES[0])
        return None if 0 <= done.hints <= 3 else f"{done.hints} hints"

    notebook = {"cells": [{"cell_type": "code", "source": source.splitlines(keepends=True)} for _, source in sources]}
    progress = {"schema": 1, "exercises": {NAMES[0]: {"tries": 2, "hints": 1, "passed": True}}}
    return [
        Parser("learners' files", samples, read_file, other_source),
        Parser("learners' files, run", samples[:1], run_file, other_source, share=RUN_SHARE),
        Parser("learners' notebooks", (json.dumps(notebook).encode(),), read_notebook, other_document),
        Parser("learners' progress", (json.dumps(progress).encode(),), read_progress, other_document),
        _answers(),
    ]


def other_source(content: bytes, chance: random.Random) -> bytes:
    """A source with tokens replaced, left out or doubled, lines moved, or bytes damaged."""
    if chance.random() < 0.3:
        return mutated(content, chance)
    text = content.decode()
    for _ in range(chance.choice((1, 1, 2, 5))):
        text = (_other_token if chance.random() < 0.7 else _other_lines)(text, chance)
    return text.encode("utf-8", "surrogatepass")


def other_document(content: bytes, chance: random.Random) -> bytes:
    """A JSON document with values replaced, or its bytes damaged."""
    if chance.random() < 0.3:
        return mutated(content, chance)
    return json.dumps(other_json(json.loads(content), chance)).encode()


def _other_token(text: str, chance: random.Random) -> str:
    try:
        spans = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.string.strip()]
    except (tokenize.TokenError, SyntaxError, ValueError):
        return text + chance.choice(TOKENS)
    token = chance.choice(spans)
    lines = text.splitlines(keepends=True)
    start = sum(map(len, lines[: token.start[0] - 1])) + token.start[1]
    instead = chance.choice((*TOKENS, "", token.string * 2, chance.choice(spans).string))
    return text[:start] + instead + text[start + len(token.string) :]


def _other_lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return text
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.random()
    if kind < 0.3:
        del lines[one]
    elif kind < 0.6:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind < 0.8:
        lines[one] = chance.choice(("    ", "\t", " ")) + lines[one].lstrip()
    else:
        lines.insert(one, lines[other] * chance.choice((1, 200)))
    return "".join(lines)


def _judged(content: bytes, path: Path, judge: Any) -> Verdict:
    path.write_bytes(content)
    return judge_source(exercise(NAMES[0]), read_source(path), judge)


def _answers() -> Parser:
    """What a learner's process left: the judge must bear whatever the learner's own code wrote there."""
    samples = {_right_answer(asked): asked for asked in map(exercise, (NAMES[0], "convolution_size", "select_parts"))}

    def read(content: bytes) -> str | None:
        name, _, answer = content.partition(b"\n")
        return _unsound(judge_source(exercise(name.decode()), "x = 1", Canned(answer)))

    def change(content: bytes, chance: random.Random) -> bytes:
        asked = samples[content]
        head, _, answer = content.partition(b"\n")
        if chance.random() < 0.3:
            return head + b"\n" + mutated(answer, chance)
        messages: list[Any] = [*_right_messages(asked)]
        number = chance.randrange(len(messages))
        messages[number] = _other_message(messages[number], chance)
        return head + b"\n" + b"".join(map(_packed, messages))

    return Parser("learners' answers", tuple(samples), read, change)


def _right_answer(asked: Exercise) -> bytes:
    return asked.name.encode() + b"\n" + b"".join(map(pack, _right_messages(asked)))


@functools.cache
def _right_messages(asked: Exercise) -> tuple[dict[str, Any], ...]:
    cases = [plain(case) for case in asked.cases(0)]
    return tuple(
        {"case": number, **observe(asked.check.probe, asked.answers, case)} for number, case in enumerate(cases)
    )


def _other_message(message: dict[str, Any], chance: random.Random) -> Any:
    """The message with something inside replaced, or one that the learner's code has made up."""
    made_up = ({"case": 0, "raised": "ValueError"}, {"stopped": "x"}, {"missing": "x"}, {"file": {}}, {"begun": 99})
    if chance.random() < 0.3:
        message = {**message, **chance.choice(made_up)}
    return other_json(message, chance)


def _packed(message: Any) -> bytes:
    try:
        return pack(message)
    except WireError:
        return b"\0" * 12


def _unjudged(verdict: Verdict) -> str | None:
    """What is wrong with a verdict on a file that nothing ran: it must not have passed."""
    return f"{verdict} without a run" if verdict else _unsound(verdict)


def _unsound(verdict: Verdict) -> str | None:
    """What is wrong with a verdict: its status, or that it cannot be shown or written."""
    if verdict.status not in (PASSED, WRONG, UNWRITTEN, STOPPED):
        return f"status {verdict.status!r}"
    if not verdict and not verdict.fault:
        return "no fault is named"
    if verdict.seconds > LIMITS.wall:
        return f"took {verdict.seconds} s"
    json.dumps(verdict.document())
    return None if "\n".join(verdict.lines()) else "says nothing"
