import ast
import json
import socket
import threading
from pathlib import Path

import pytest

from tools import mutation_score

SOURCE = Path(__file__).parents[2] / "src" / "gradlab"
RUNS_CODE = {
    "builtins": {"eval", "exec", "compile", "__import__"},
    "os": {"system", "popen", "execl", "execle", "execlp", "execv", "execve", "execvp", "spawnl", "spawnv"},
    "subprocess": {"getoutput", "getstatusoutput"},
    "pty": {"spawn"},
    "code": {"interact", "InteractiveInterpreter"},
    "runpy": {"run_path", "run_module"},
    "torch": {"load", "save"},
    "torch.hub": {"load"},
    "yaml": {"load", "unsafe_load"},
    "shutil": {"unpack_archive"},
}  # fmt: skip
"""What starts code or unpacks blindly, by its module: called by its full name, or imported under any other."""

MEANT_TO = ("learn/", "cli/explain_file.py")
"""What runs a learner's file, and the file that a user names."""


def smuggled(text: str) -> list[str]:
    """What a source calls or imports of these, under whatever name."""
    tree = ast.parse(text)
    modules = {alias.asname or alias.name: alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
               for alias in node.names}  # fmt: skip
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names
                      if alias.name in RUNS_CODE.get(node.module or "", ())]  # fmt: skip
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            module = modules.get(owner, owner)
            if node.attr in RUNS_CODE.get(module, ()):
                found.append(f"{module}.{node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNS_CODE["builtins"]:
            found.append(f"builtins.{node.func.id}")
    return found


def test_nothing_in_the_package_starts_code_from_data():
    files = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
    assert len(files) > 80, "the package is somewhere else"
    found = {name: smuggled(path.read_text(encoding="utf-8")) for name, path in files.items()}
    assert {name: what for name, what in found.items() if what and not name.startswith(MEANT_TO)} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("exec('x')", "builtins.exec"),
        ("from builtins import eval as look", "builtins.eval"),
        ("from os import system as say", "os.system"),
        ("import os as o\no.execv('x', [])", "os.execv"),
        ("import torch\ntorch.load('x')", "torch.load"),
        ("import subprocess as s\ns.getoutput('x')", "subprocess.getoutput"),
        ("__import__('pickle')", "builtins.__import__"),
        ("import shutil\nunpack = shutil.unpack_archive", "shutil.unpack_archive"),
    ],
)
def test_a_smuggler_is_found(text, found):
    assert found in smuggled(text)


def test_harmless_sources_are_not_found():
    assert smuggled("import re\nre.compile('x')\nmodel.eval()\nimport numpy\nnumpy.load('x')\nstate.load()") == []


CHANGES = {
    "a < 1": {"a <= 1", "a < 2"},
    "a in b": {"a not in b"},
    "a + b": {"a - b"},
    "a and b": {"a or b"},
    "not a": {"not not a"},
    "f(x=True)": {"f(x=False)"},
    "a: 'Literal[1]' = 1": {"a: 'Literal[1]' = 2"},
    "def f(a: 1) -> 2:\n    return None": set(),
    "def f():\n    return a": {"def f():\n    return None"},
    "raise ValueError(3)": set(),
}


@pytest.mark.parametrize("text", CHANGES)
def test_the_changes_whose_discovery_is_counted(text):
    assert {changed for _, changed in mutation_score.mutants(text)} == CHANGES[text]


def test_the_mutation_score_is_of_every_room_and_adds_up():
    rooms = json.loads(mutation_score.RESULT.read_text())["rooms"]
    assert rooms.keys() == mutation_score.ROOMS.keys()
    for room in rooms.values():
        assert room["killed"] + room["timed out"] + room["survived"] == room["mutants"] >= 10
        assert len(room["survivors"]) == room["survived"]


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 443), ("2001:db8::1", 80)])
def test_no_test_reaches_another_machine(address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as caller, pytest.raises(AssertionError, match="a test wants to reach"):
        caller.connect(address)
    with pytest.raises(AssertionError, match="a test wants to reach"):
        socket.create_connection(address, timeout=1)


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            caller, _ = server.accept()
            caller.close()

        answered = threading.Thread(target=answer)
        answered.start()
        with socket.create_connection(server.getsockname(), timeout=10) as caller:
            assert caller.recv(1) == b""
        answered.join()
