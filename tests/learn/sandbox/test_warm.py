"""The process that learners' code is forked from: what it knows, and how it ends."""

import json
import os
import subprocess
import sys
import time

import pytest

from gradlab.learn.learner import start
from gradlab.learn.sandbox.warm import FORKS, Forked, Warm, _can_fork

pytestmark = pytest.mark.skipif(not FORKS, reason="a warm process is forked on Linux")
SPY = """
import os
import sys


def softmax(x):
    kept, frame = [], sys._getframe()
    while frame is not None:
        kept += [value for value in frame.f_locals.values() if value is not kept]
        frame = frame.f_back
    kept += [part for value in kept if isinstance(value, (list, tuple)) for part in value]
    known = [type(value).__name__ for value in kept if type(value).__name__ in ("Outline", "Exercise")]
    known += [name for name in sys.modules if name.startswith("gradlab.learn.exercises")]
    read = sys.modules["gradlab.learn.outline"].outline.cache_info().currsize
    print("spy", known, read, "SECRET" in os.environ, sys.dont_write_bytecode, *sys.path)
    return x
"""


@pytest.fixture
def child():
    """A process of ours that runs on, as a fork would."""
    started = subprocess.Popen(["sleep", "60"])
    yield Forked(started.pid, sys.stdin, sys.stdout)
    started.kill()
    started.wait()


def test_what_is_forked_from_the_command_line_knows_no_solution_and_nothing_of_the_user(tmp_path):
    start(tmp_path, notebooks=False, chapters=("classification",))
    (tmp_path / "classification" / "softmax.py").write_text(SPY)
    environment = os.environ | {"SECRET": "1", "PYTHONPATH": "elsewhere"}
    for name in ("OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    words = [sys.executable, "-X", "importtime", "-m", "gradlab", "learn", "check", "--json"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    (verdict,) = json.loads(done.stdout)["verdicts"]
    told = next(line.split() for line in verdict["printed"].splitlines() if line.startswith("spy"))
    assert told[1:4] == ["[]", "0", "False"]
    assert told[4] == "True", "what it imports is not compiled into files"
    assert not {"elsewhere", str(tmp_path)} & {*told[5:]}
    imported = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    assert imported.count("torch") == 1, "one import serves the judge and the learner's process"


def test_a_process_with_torch_may_hold_exercises_and_is_not_forked():
    import torch

    assert torch.__name__ in sys.modules
    assert not _can_fork()


def test_a_process_that_is_gone_answers_nothing():
    warm = Warm()
    warm.process.kill()
    warm.process.wait()
    assert warm.ask("{}") is None
    warm.close()


def test_a_fork_is_waited_for_and_ended(child):
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=0.01)
    begin = time.monotonic()
    child.terminate()
    child.wait(timeout=30)
    assert child.ended
    assert time.monotonic() - begin < 30


def test_nobody_is_killed_by_a_number_that_was_given_back(child, monkeypatch):
    child.kill()
    child.wait()
    monkeypatch.setattr(os, "kill", lambda *_arguments: pytest.fail("the process has ended"))
    child.terminate()
    child.kill()
