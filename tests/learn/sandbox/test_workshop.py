"""Hostile and broken files: each is stopped, named, and leaves nothing behind."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradlab
from gradlab.learn.exercise import exercise
from gradlab.learn.judge import judge_source
from gradlab.learn.sandbox import Limits, Workshop
from gradlab.learn.sandbox.workshop import FORKS
from gradlab.learn.verdict import Verdict

HEAD = "import os, sys, time\nimport torch\n"
RIGHT = "def softmax(x):\n    e = (x - x.amax(1, keepdim=True)).exp()\n    return e / e.sum(1, keepdim=True)\n"
linux = pytest.mark.skipif(not FORKS, reason="memory and forks are limited on Linux")


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop(Limits(seconds=1, wall=30, memory=300_000_000, printed=200_000)) as made:
        yield made


def body(code: str) -> str:
    return HEAD + "def softmax(x):\n" + "".join(f"    {line}\n" for line in code.splitlines())


def judged(source: str, workshop: Workshop) -> Verdict:
    return judge_source(exercise("softmax"), source, workshop)


STOPPED = {
    "hangs": (body("while True: pass"), "takes longer than 1 s"),
    "hangs while the file is read": (HEAD + "while True: pass", "takes longer than 1 s"),
    "many threads": (
        body("from threading import Thread\nfor _ in range(8): Thread(target=sum, args=[range(10**9)]).start()"),
        "takes longer than 1 s",
    ),
    "ignores every error": (
        body("while True:\n    try: raise ValueError\n    except BaseException: pass"),
        "takes longer than 1 s",
    ),
    "prints without end": (body("while True: print('x' * 1000)"), "prints more than 0.2 MB"),
    "writes without end": (body("while True: os.write(2, b'x' * 1000)"), "prints more than 0.2 MB"),
    "forks": (body("os.fork()"), "starts another process"),
    "forks when read": (HEAD + "while True: os.fork()", "starts another process"),
    "swallows the refusal": (
        body("try:\n    os.fork()\nexcept BaseException:\n    pass\nreturn x"),
        "starts another process",
    ),
    "subprocess": (body("import subprocess\nsubprocess.run(['true'])"), "starts another process"),
    "system": (body("os.system('true')"), "starts another process"),
    "popen": (body("os.popen('true')"), "starts another process"),
    "exec": (body("os.execv(sys.executable, ['python'])"), "starts another process"),
    "multiprocessing": (
        body("import multiprocessing\nmultiprocessing.get_context('fork').Process(target=print).start()"),
        "starts another process",
    ),
    "spawn": (
        body("import multiprocessing\nmultiprocessing.get_context('spawn').Process(target=print).start()"),
        "starts another process",
    ),
    "sys.exit": (body("sys.exit(0)"), "calls exit"),
    "sys.exit when read": (HEAD + "sys.exit()", "calls exit"),
    "raise SystemExit": (body("raise SystemExit"), "calls exit"),
    "os._exit": (body("os._exit(0)"), "ends Python"),
    "os.abort": (body("os.abort()"), "ends Python"),
    "crash": (body("torch.empty(0).as_strided((10**9,), (1,)).fill_(1)"), ""),
    "kills the judge": (body("os.kill(os.getppid(), 9)"), "sends a signal"),
    "ctypes": (body("import ctypes\nctypes.CDLL(None).getpid()"), "calls native code"),
    "network": (body("import socket\nsocket.create_connection(('127.0.0.1', 9))"), "uses the network"),
    "name look-up": (body("import socket\nsocket.getaddrinfo('localhost', 80)"), "uses the network"),
    "input": (body("input()"), "asks for input"),
    "raises limits": (
        body("import resource\nresource.setrlimit(resource.RLIMIT_CPU, (99, 99))"),
        "changes the limits",
    ),
    "imports the solution": (
        body("from gradlab.learn.exercises.softmax import softmax as s\nreturn s(x)"),
        "is what you are",
    ),
    "imports the room": (body("import gradlab.learn.exercises.mlp"), "imports gradlab"),
    "importlib": (body("import importlib\nimportlib.import_module('gradlab.learn.judge')"), "reads the checks"),
    "inspects the source": (
        body("import inspect\nreturn inspect.getsource(sys.modules['gradlab.learn.wire'])"),
        "reads the checks or the solutions",
    ),
    "reads the solution": (
        body("folder = os.path.dirname(sys.modules['gradlab'].__file__)\nopen(folder + '/learn/exercises/softmax.py')"),
        "reads the checks or the solutions",
    ),
    "reads it at a low level": (
        body("path = sys.modules['gradlab'].__file__\nos.open(path[:-11] + 'learn/exercises/softmax.py', 0)"),
        "reads the checks or the solutions",
    ),
    "lists the checks": (
        body("os.listdir(os.path.dirname(sys.modules['gradlab'].__file__) + '/learn')"),
        "looks into the folder of the checks",
    ),
    "edits the checks": (body("open(sys.modules['gradlab'].__file__, 'a').write('x')"), "tries to change the checks"),
    "removes the checks": (body("os.remove(sys.modules['gradlab'].__file__)"), "tries to change the checks"),
    "renames the checks": (body("os.rename(sys.modules['gradlab'].__file__, 'x')"), "tries to change the checks"),
    "writes elsewhere": (body("open('../request.bin', 'wb')"), "writes outside its own folder"),
    "writes at a low level": (body("os.open('../x', os.O_CREAT | os.O_WRONLY)"), "writes outside its own folder"),
    "links elsewhere": (body("os.symlink('/etc/hostname', 'x')"), "writes outside its own folder"),
    "searches memory": (body("import gc\nreturn gc.get_objects()"), "searches the memory"),
    "patches torch": (HEAD + "torch.allclose = lambda *a, **k: True\n" + RIGHT, "replaces torch.allclose"),
    "patches a tensor's method": (
        HEAD + "torch.Tensor.__eq__ = lambda a, b: True\n" + RIGHT,
        "replaces torch.Tensor.__eq__",
    ),
    "patches numpy": ("import numpy as np\nnp.allclose = lambda *a, **k: True\n" + RIGHT, "replaces numpy.allclose"),
    "patches while it runs": (body("torch.nn.Module.__call__ = print\nreturn x"), "replaces torch.nn"),
    "forges a verdict": (
        body("for fd in range(3, 30):\n    try: os.write(fd, b'passed')\n    except OSError: pass\nos._exit(0)"),
        "ends Python",
    ),
    "adds its own hook": (body("sys.addaudithook(lambda *a: None)\nos.fork()"), "starts another process"),
}


@linux
@pytest.mark.parametrize("name", STOPPED)
def test_a_hostile_file_is_stopped_and_named(name, workshop):
    source, told = STOPPED[name]
    package = Path(gradlab.__file__).read_bytes()
    verdict = judged(source, workshop)
    assert not verdict
    assert told in verdict.fault
    assert Path(gradlab.__file__).read_bytes() == package


@linux
@pytest.mark.parametrize(
    "code",
    ["return torch.ones(10**9)", "kept = []\nwhile True: kept.append(bytearray(10**7))", "return 'x' * 10**10"],
)
def test_memory_is_limited(code, workshop):
    assert "asks for more than 300 MB" in judged(body(code), workshop).fault


def test_a_file_that_waits_is_stopped_by_the_clock():
    with Workshop(Limits(wall=1)) as workshop:
        assert "takes longer than 1 s" in judged(body("time.sleep(100)"), workshop).fault


@linux
def test_another_process_of_the_system_cannot_be_read(workshop):
    verdict = judged(body("return open(f'/proc/{os.getppid()}/environ').read()"), workshop)
    assert "reads the memory of another process" in verdict.fault


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def softmax(x)\n    return x", "this is not Python"),
        ("", "`softmax` is missing"),
        ("softmax = 3", "`softmax` is missing"),
        ("import nothing_like_this", "ModuleNotFoundError is raised while the file is read"),
        (body("raise ValueError('no')"), "ValueError is raised"),
        (body("return softmax(x)"), "RecursionError is raised"),
        (body("return object()"), "an object is returned instead of a tensor"),
        (body("return '\\ud800'"), "a text is returned"),
        (body("return torch.ones(2).to_sparse()"), "is returned instead of a tensor"),
        (body("return x.log_softmax(1).exp()"), "`log_softmax` is what you are asked to write"),
        ("from torch import *", "`from torch import *` hides what you use"),
        ("from torch.nn.functional import *", "`from torch.nn.functional import *` hides"),
        ("from torch import softmax", "`softmax` is what you are asked to write"),
        (body("return (lambda: (yield))()"), "is returned instead of a tensor"),
    ],
)
def test_a_broken_file_is_named(source, told, workshop):
    assert told in judged(source, workshop).fault


def test_the_line_of_an_error_is_that_of_the_learner_s_file(workshop):
    verdict = judged("import torch\n\n\ndef softmax(x):\n    return torch.cat([x, 3])\n", workshop)
    assert verdict.line == 5


def test_what_is_printed_is_shown_and_harmless_things_are_allowed(workshop):
    verdict = judged(body("print('shape', x.shape)\nopen('note.txt', 'w').write('mine')\nreturn x"), workshop)
    assert "shape torch.Size([2, 3])" in verdict.printed
    assert verdict.status == "wrong"


def test_a_right_file_passes_with_optimisers_and_files_of_its_own(workshop):
    extra = "weight = torch.nn.Parameter(torch.ones(2))\ntorch.optim.SGD([weight], lr=0.1).step()\n"
    assert judged(HEAD + extra + RIGHT, workshop)


@pytest.mark.parametrize("warm", [pytest.param(True, marks=linux), False])
def test_a_right_file_may_draw_with_matplotlib(warm):
    drawn = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.savefig('drawn.png')\n"
    with Workshop(warm=warm) as workshop:
        verdict = judged(drawn + RIGHT, workshop)
        assert verdict, verdict


def test_copying_and_saving_tensors_is_no_patch(workshop):
    assert judged(
        "import copy\nimport torch\ncopy.copy(torch.ones(2))\ncopy.deepcopy(torch.nn.ReLU())\n" + RIGHT, workshop
    )
    saved = (
        "import torch\n\n\ndef save_model(model, path):\n    torch.save(model.state_dict(), path)\n\n\n"
        "def load_model(model, path):\n    model.load_state_dict(torch.load(path, weights_only=True))\n"
    )
    verdict = judge_source(exercise("save_and_load"), saved, workshop)
    assert verdict, verdict


def test_nothing_is_left_behind(workshop, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    judged(STOPPED["hangs"][0], workshop)
    judged(RIGHT, workshop)
    assert list(tmp_path.iterdir()) == []


@linux
def test_the_warm_process_is_started_again_when_it_is_gone():
    with Workshop() as workshop:
        assert judged(RIGHT, workshop)
        assert workshop._server is not None
        workshop._server.process.kill()
        workshop._server.process.wait()
        assert judged(RIGHT, workshop)


def test_a_warm_check_is_quick(workshop):
    judged(RIGHT, workshop)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        assert judged(RIGHT, workshop)
        times.append(time.perf_counter() - begin)
    assert min(times) < 1


def test_without_a_fork_the_verdicts_are_the_same():
    with Workshop(Limits(), warm=False) as workshop:
        assert judged(RIGHT, workshop)
        assert "starts another process" in judged(STOPPED["forks"][0], workshop).fault


def test_the_learner_sees_no_environment_of_ours(workshop):
    os.environ["GRADLAB_TEST_SECRET"] = "secret"
    try:
        verdict = judged(body("print(sorted(os.environ), sys.executable)\nreturn x"), workshop)
    finally:
        del os.environ["GRADLAB_TEST_SECRET"]
    assert "SECRET" not in verdict.printed
    assert sys.executable in verdict.printed
