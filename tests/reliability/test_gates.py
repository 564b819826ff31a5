import ast
import json
import re
import socket
import threading
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.reliability import hostile, soak
from tests.reliability.test_hostile import NAMES
from tools import mutation_score

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "gradlab"
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
        assert room.get("equivalent", {}).keys() == set(room["survivors"]), "each survivor is explained"


RUN_SHARES = {"learners' files, run": 0.01}


def test_reliability_was_measured_in_full_and_nothing_was_wrong():
    suites = json.loads(soak.RESULT.read_bytes())["suites"]
    assert suites.keys() == soak.SUITES.keys()
    assert {name: about["share"] for name, about in suites.items()} == dict.fromkeys(suites, 1.0)
    assert [failure for about in suites.values() for failure in about["failures"]] == []
    assert all({"date", "processor", "cores", "torch", "seconds"} <= about.keys() for about in suites.values())


def test_every_parser_was_given_its_full_count_of_inputs():
    found = json.loads(soak.RESULT.read_bytes())["suites"]["hostile_input"]["parsers"]
    asked = {name: round(hostile.INPUTS * RUN_SHARES.get(name, 1.0)) for name in NAMES}
    assert {name: about["inputs"] for name, about in found.items()} == asked
    assert sum(about["wrong"] for about in found.values()) == 0
    assert max(about["longest_seconds"] for about in found.values()) < hostile.LONGEST_SECONDS
    assert max(about["memory_mebibytes"] for about in found.values()) < hostile.MOST_MEBIBYTES


def test_a_piece_of_hostile_input_replaces_what_was_known_of_its_parsers_alone():
    about = {"inputs": 5, "wrong": 1, "seconds": 1.5}
    before = {"parsers": {"a": about, "a, run": about}, "failures": ["a: x", "a, run: y"]}
    found = {"parsers": {"a": {**about, "wrong": 0}, "b": about}, "failures": ["b: z"]}
    joined = hostile.joined(before, found)
    assert joined["failures"] == ["a, run: y", "b: z"]
    assert (joined["inputs"], joined["wrong"], joined["seconds"]) == (15, 2, 4.5)
    assert joined["parsers"] == {**before["parsers"], **found["parsers"]}


def without_a_pin(pins: dict[str, str]) -> set[str]:
    """What gradlab's extras install here, directly or through others, that these exact versions leave open."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [
        Requirement(line) for line in (*project["dependencies"], *(line for more in extras.values() for line in more))
    ]
    seen: set[tuple[str, str]] = set()
    while asked:
        wanted = asked.pop()
        name = canonicalize_name(wanted.name)
        for extra in ("", *wanted.extras):
            if name == "gradlab" or (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                lines = metadata.requires(name) or []
            except metadata.PackageNotFoundError:  # of an extra that is not installed here
                continue
            further = map(Requirement, lines)
            asked += [one for one in further if one.marker is None or one.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen} - pins.keys()


def test_everything_that_is_installed_has_an_exact_version():
    lines = (ROOT / "constraints.txt").read_text().split("\n")[:-1]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line) for line in lines)
    pins = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    assert len(pins) == len(lines) > 100
    assert without_a_pin(pins) == set()
    for name in ("torch", "rich", "pluggy"):  # asked for by gradlab, by its linter, by its tests
        assert without_a_pin({other: pin for other, pin in pins.items() if other != name}) == {name}


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
